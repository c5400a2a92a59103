//! Numbers for people.

/// `12.3 GB`: three digits, decimal units.
pub fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return format!("{} {unit}", digits(value));
        }
        value /= 1000.0;
    }
    format!("{} TB", digits(value))
}

/// `20 Mbit/s`, from bytes per second.
pub fn rate(bytes: f64) -> String {
    if bytes.is_infinite() {
        return "no limit".to_owned();
    }
    let mut value = bytes * 8.0;
    for unit in ["bit/s", "kbit/s", "Mbit/s"] {
        if value < 1000.0 {
            return format!("{} {unit}", digits(value));
        }
        value /= 1000.0;
    }
    format!("{} Gbit/s", digits(value))
}

/// `26.2 min`; `never` if infinite.
pub fn time(secs: f64) -> String {
    match secs {
        secs if secs.is_infinite() => "never".to_owned(),
        secs if secs < 120.0 => format!("{} s", digits(secs)),
        secs if secs < 7200.0 => format!("{} min", digits(secs / 60.0)),
        secs if secs < 172_800.0 => format!("{} h", digits(secs / 3600.0)),
        secs => format!("{} d", digits(secs / 86_400.0)),
    }
}

/// Three digits, without a needless fraction.
pub fn digits(value: f64) -> String {
    let text = if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
