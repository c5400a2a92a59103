//! Quantities with their units: `20 Mbit/s`, `2 GiB`, `30 ms`, `0.02 EUR/GB`.
//! A number without a unit is an error.

/// Rates in bits per second.
const RATES: [(&str, f64); 12] = [
    ("bit/s", 1.0),
    ("kbit/s", 1e3),
    ("Mbit/s", 1e6),
    ("Gbit/s", 1e9),
    ("kbit", 1e3),
    ("Mbit", 1e6),
    ("Gbit", 1e9),
    ("kbps", 1e3),
    ("Mbps", 1e6),
    ("Gbps", 1e9),
    ("MB/s", 8e6),
    ("GB/s", 8e9),
];
/// Sizes in bytes.
const SIZES: [(&str, f64); 10] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("Gbit", 1.25e8),
];
/// Times in seconds.
const TIMES: [(&str, f64); 6] = [
    ("ms", 1e-3),
    ("s", 1.0),
    ("min", 60.0),
    ("m", 60.0),
    ("h", 3600.0),
    ("d", 86_400.0),
];

/// Splits a number from its unit.
fn number(text: &str) -> Result<(f64, &str), String> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || "+-._".contains(c)))
        .unwrap_or(text.len());
    if text[end..].starts_with(',') {
        return Err(format!("`{text}`: write a point, not a comma"));
    }
    let digits: String = text[..end].chars().filter(|c| *c != '_').collect();
    let value: f64 = digits
        .parse()
        .map_err(|_| format!("`{text}` does not begin with a number"))?;
    if !value.is_finite() || value < 0.0 {
        return Err(format!("`{text}` must not be negative"));
    }
    Ok((value, text[end..].trim()))
}

fn scaled(text: &str, units: &[(&str, f64)], what: &str) -> Result<f64, String> {
    let (value, unit) = number(text)?;
    let names = || {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    };
    if unit.is_empty() {
        return Err(format!(
            "`{text}` has no unit; {what} needs one of {}",
            names()
        ));
    }
    let exact = units.iter().find(|(name, _)| *name == unit);
    let loose = || {
        let mut alike = units
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(unit));
        // `Mb` and `Mb/s` could mean either; `mbit` can't.
        let either =
            |name: &str| !name.ends_with("iB") && (name.ends_with('B') || name.ends_with("B/s"));
        alike.next().filter(|(name, _)| !either(name))
    };
    if let Some((_, factor)) = exact.or_else(loose) {
        return Ok(value * factor);
    }
    let either = unit.ends_with('b') || unit.ends_with("b/s");
    let either = if either { " (bits or bytes?)" } else { "" };
    Err(format!(
        "`{unit}` is no unit of {what}{either}; use one of {}",
        names()
    ))
}

/// Bits per second; more than 0.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = scaled(text, &RATES, "a rate")?;
    if rate < 1.0 {
        return Err("a rate of 0 makes a link that carries nothing".to_owned());
    }
    if rate > 1e13 {
        return Err(format!(
            "`{text}` is faster than any link; at most 10000 Gbit/s"
        ));
    }
    Ok(rate)
}

/// Whole bytes; more than 0.
pub fn size(text: &str) -> Result<u64, String> {
    let size = scaled(text, &SIZES, "a size")?;
    if size < 1.0 {
        return Err("a size of 0 leaves nothing to move".to_owned());
    }
    if size > 1e15 {
        return Err(format!("`{text}` is more than 1000 TB"));
    }
    Ok(size.round() as u64)
}

/// Seconds.
pub fn duration(text: &str) -> Result<f64, String> {
    let secs = scaled(text, &TIMES, "a time")?;
    if secs > 400.0 * 86_400.0 {
        return Err(format!("`{text}` is more than 400 days"));
    }
    Ok(secs)
}

/// Price of 10^9 bytes, and its currency.
pub fn price(text: &str) -> Result<(f64, String), String> {
    let (value, unit) = number(text)?;
    match unit.split_once('/') {
        Some((currency, "GB")) if currency.chars().all(char::is_alphabetic) => {
            Ok((value, currency.to_owned()))
        }
        _ => Err(format!("`{text}` is no price; write it like `0.02 EUR/GB`")),
    }
}

/// Refuses an amount of money in another currency than that of all.
pub fn same(currency: &str, all: &str) -> Result<(), String> {
    if currency == all {
        return Ok(());
    }
    Err(format!("{currency} among prices in {all}"))
}

/// Price of one month, and its currency.
pub fn monthly(text: &str) -> Result<(f64, String), String> {
    let (value, unit) = number(text)?;
    match unit.split_once('/') {
        Some((currency, "month")) if currency.chars().all(char::is_alphabetic) => {
            Ok((value, currency.to_owned()))
        }
        _ => Err(format!(
            "`{text}` is no monthly price; write it like `40 EUR/month`"
        )),
    }
}

/// Bytes in a month.
pub fn quota(text: &str) -> Result<u64, String> {
    match text.split_once('/') {
        Some((amount, "month")) => size(amount),
        _ => Err(format!(
            "`{text}` is no quota; write it like `200 GB/month`"
        )),
    }
}

/// Hours of the day, from the first up to but not with the second: `08-18`,
/// `22-06`.
pub fn hours(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('-').and_then(|(from, to)| {
        let hour = |text: &str| text.trim().parse().ok().filter(|hour| *hour <= 24);
        Some((hour(from)?, hour(to)?))
    });
    parsed
        .filter(|(from, to)| from != to)
        .ok_or_else(|| format!("`{text}` are no hours; write them like `08-18` or `22-06`"))
}

/// Offset from UTC in seconds: `+02:00`, `-05:30`.
pub fn offset(text: &str) -> Result<i32, String> {
    let wrong = || format!("`{text}` is no offset; write it like `+02:00`");
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    let hours: i32 = hours.parse().map_err(|_| wrong())?;
    let minutes: i32 = minutes.parse().map_err(|_| wrong())?;
    if !(0..=14).contains(&hours) || !(0..60).contains(&minutes) {
        return Err(wrong());
    }
    Ok(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_their_lack_is_an_error() {
        assert_eq!(rate("20 Mbit/s"), Ok(20e6));
        assert_eq!(rate("10mbit"), Ok(10e6));
        assert_eq!(rate("400 MB/s"), Ok(3.2e9));
        assert_eq!(size("2 GiB"), Ok(2_147_483_648));
        assert_eq!(size("3 GB"), Ok(3_000_000_000));
        assert_eq!(duration("48h"), Ok(172_800.0));
        assert_eq!(price("0.02 EUR/GB"), Ok((0.02, "EUR".to_owned())));
        assert_eq!(quota("200 GB/month"), Ok(200_000_000_000));
        assert_eq!(hours("22-06"), Ok((22, 6)));
        assert_eq!(offset("-05:30"), Ok(-19_800));
        for wrong in [
            "20",
            "20 Mb",
            "fast",
            "-3 Mbit/s",
            "0 Mbit/s",
            "20 MiB",
            "9e9 Gbit/s",
        ] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        assert!(rate("20").unwrap_err().contains("Mbit/s"));
        for wrong in ["2", "2 Mb", "0 GiB", "2 GHz", ""] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert!(hours("8").is_err() && hours("8-8").is_err() && hours("8-25").is_err());
    }
}
