//! From figures to places on a plot.

use crate::planner::report::text::digits;

/// Width of a plot's canvas.
pub const WIDTH: f64 = 480.0;
/// Height of a plot's canvas.
pub const HEIGHT: f64 = 300.0;
/// Letters of a name beside a plot.
const NAME_MAX: usize = 18;
/// Left, right, top and bottom of the field.
pub const FIELD: (f64, f64, f64, f64) = (62.0, 468.0, 12.0, 262.0);

/// A scale between two figures and two places.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    from: f64,
    to: f64,
    log: bool,
    places: (f64, f64),
}

impl Axis {
    /// A scale; logarithmic where it spans more than a factor of 20.
    pub fn new(from: f64, to: f64, places: (f64, f64)) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self {
            from,
            to,
            log: from > 0.0 && to / from > 20.0,
            places,
        }
    }

    /// The place of a figure, within the field.
    pub fn place(&self, value: f64) -> f64 {
        let part = if self.log {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.places.0 + (self.places.1 - self.places.0) * part.clamp(0.0, 1.0)
    }

    /// Round figures to mark, five or so.
    pub fn ticks(&self) -> Vec<f64> {
        if self.log {
            let mut ticks = Vec::new();
            let between: &[f64] = if self.to / self.from >= 200.0 {
                &[1.0]
            } else {
                &[1.0, 2.0, 5.0]
            };
            let mut at = 10f64.powf(self.from.log10().floor());
            while at <= self.to * 1.001 {
                ticks.extend(between.iter().map(|factor| at * factor));
                at *= 10.0;
            }
            ticks.retain(|tick| *tick <= self.to * 1.001);
            ticks.retain(|tick| *tick >= self.from * 0.999);
            return ticks;
        }
        let rough = (self.to - self.from) / 5.0;
        let base = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * base)
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let mut ticks = Vec::new();
        let mut at = (self.from / step).ceil() * step;
        while at <= self.to * 1.000_1 {
            ticks.push(at);
            at += step;
        }
        ticks
    }
}

/// A name that fits beside a plot.
pub fn short(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(NAME_MAX - 1).collect();
    short.push('…');
    short
}

/// Seconds per unit that suits a span, and its name.
pub fn time_unit(span: f64) -> (f64, &'static str) {
    match span {
        span if span < 300.0 => (1.0, "s"),
        span if span < 18_000.0 => (60.0, "min"),
        span if span < 400_000.0 => (3600.0, "h"),
        _ => (86_400.0, "days"),
    }
}

/// A tick of a horizontal axis, with its line and its text.
pub fn tick_x(place: f64, value: f64) -> String {
    let (_, _, top, bottom) = FIELD;
    format!(
        "<line class='grid' x1='{place:.1}' x2='{place:.1}' y1='{top}' y2='{bottom}'/>\
         <text class='tick' x='{place:.1}' y='{:.1}' text-anchor='middle'>{}</text>",
        bottom + 16.0,
        digits(value)
    )
}

/// A tick of a vertical axis, with its line and its text.
pub fn tick_y(place: f64, text: &str) -> String {
    let (left, right, ..) = FIELD;
    format!(
        "<line class='grid' x1='{left}' x2='{right}' y1='{place:.1}' y2='{place:.1}'/>\
         <text class='tick' x='{:.1}' y='{:.1}' text-anchor='end'>{text}</text>",
        left - 6.0,
        place + 4.0
    )
}

/// Appends to a page; writing to a text cannot fail.
pub fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    std::fmt::Write::write_fmt(out, text).unwrap_or_default();
}

/// Text that may stand in HTML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_places_stay_in_the_field() {
        let axis = Axis::new(0.0, 47.0, (0.0, 100.0));
        assert_eq!(axis.ticks(), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(axis.place(100.0), 100.0);
        let log = Axis::new(5.0, 5_000.0, (0.0, 100.0));
        assert_eq!(log.ticks(), [10.0, 100.0, 1000.0]);
        assert!((log.place(158.1) - 50.0).abs() < 0.1);
        assert_eq!(escape("<a href='x'>&"), "&lt;a href=&#39;x&#39;&gt;&amp;");
    }
}
