//! A rate that changes at known moments.

/// Constant pieces, the last without end.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// End of each piece; the last is infinite.
    ends: Vec<f64>,
    rates: Vec<f64>,
}

impl Steps {
    /// One rate for ever.
    pub fn constant(rate: f64) -> Self {
        Self {
            ends: vec![f64::INFINITY],
            rates: vec![rate],
        }
    }

    /// From the rate at each of these moments on, in ascending order; the
    /// first holds from the beginning. Equal neighbours become one.
    pub fn new(moments: &[(f64, f64)]) -> Self {
        let mut steps = Self {
            ends: Vec::new(),
            rates: Vec::new(),
        };
        for (from, rate) in moments {
            if steps.rates.last() == Some(rate) {
                continue;
            }
            if !steps.rates.is_empty() {
                steps.ends.push(*from);
            }
            steps.rates.push(*rate);
        }
        if steps.rates.is_empty() {
            steps.rates.push(0.0);
        }
        steps.ends.push(f64::INFINITY);
        steps
    }

    /// The same on a clock that is slower by a factor: all moments come earlier.
    #[must_use]
    pub fn slower(&self, factor: f64) -> Self {
        Self {
            ends: self.ends.iter().map(|end| end / factor).collect(),
            rates: self.rates.clone(),
        }
    }

    /// The same, with all rates so many times as high.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        Self {
            ends: self.ends.clone(),
            rates: self.rates.iter().map(|rate| rate * factor).collect(),
        }
    }

    /// What is left of this when another takes its part first.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut moments = Vec::new();
        let mut now = 0.0;
        while now < f64::INFINITY {
            let (all, taken) = (self.rate(now), other.rate(now));
            let left = all - taken;
            // What rounding leaves over is nothing.
            moments.push((now, if left > all * 1e-9 { left } else { 0.0 }));
            now = self.change(now).min(other.change(now));
        }
        Self::new(&moments)
    }

    /// The sum of rates that each hold between two moments.
    pub fn sum(spans: &[(f64, f64, f64)]) -> Self {
        let begins = spans.iter().map(|(from, _, rate)| (*from, 1, *rate));
        let ends = spans.iter().map(|(_, to, rate)| (*to, -1, -*rate));
        let mut changes: Vec<(f64, i32, f64)> = begins.chain(ends).collect();
        changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let mut moments = vec![(0.0, 0.0)];
        let (mut open, mut rate) = (0, 0.0f64);
        for (at, count, by) in changes {
            open += count;
            rate = if open > 0 { (rate + by).max(0.0) } else { 0.0 };
            match moments.last_mut() {
                Some(last) if last.0 >= at => last.1 = rate,
                _ => moments.push((at, rate)),
            }
        }
        Self::new(&moments)
    }

    fn at(&self, time: f64) -> usize {
        let at = self.ends.partition_point(|end| *end <= time);
        at.min(self.ends.len() - 1)
    }

    /// The rate at a moment.
    pub fn rate(&self, time: f64) -> f64 {
        self.rates[self.at(time)]
    }

    /// When it changes next.
    pub fn change(&self, time: f64) -> f64 {
        self.ends[self.at(time)]
    }

    /// The highest rate.
    pub fn most(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// The lowest rate.
    pub fn least(&self) -> f64 {
        self.rates.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// What passes between two moments.
    pub fn passed(&self, from: f64, to: f64) -> f64 {
        let (mut now, mut sum) = (from, 0.0);
        while now < to {
            let at = self.at(now);
            let end = self.ends[at].min(to);
            sum += self.rates[at] * (end - now);
            now = end;
        }
        sum
    }

    /// When so much has passed since a moment; infinite for never.
    pub fn until(&self, from: f64, amount: f64) -> f64 {
        let (mut now, mut left) = (from, amount);
        loop {
            let at = self.at(now);
            let (rate, end) = (self.rates[at], self.ends[at]);
            if left <= 0.0 {
                return now;
            }
            if rate > 0.0 && left <= rate * (end - now) {
                return now + left / rate;
            }
            if end.is_infinite() {
                return f64::INFINITY;
            }
            left -= rate * (end - now);
            now = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_when_agree() {
        let steps = Steps::new(&[(0.0, 2.0), (10.0, 0.0), (20.0, 4.0), (30.0, 4.0)]);
        assert_eq!(steps.passed(5.0, 25.0), 30.0);
        assert_eq!(steps.until(5.0, 30.0), 25.0);
        assert_eq!(steps.until(5.0, 10.0), 10.0);
        assert_eq!(steps.until(12.0, 4.0), 21.0);
        assert_eq!((steps.rate(15.0), steps.change(15.0)), (0.0, 20.0));
        let taken = Steps::sum(&[(2.0, 12.0, 1.5), (10.0, 25.0, 0.5)]);
        assert_eq!(taken.passed(0.0, 100.0), 22.5);
        let left = steps.without(&taken);
        assert_eq!(
            (left.rate(5.0), left.rate(11.0), left.rate(22.0)),
            (0.5, 0.0, 3.5)
        );
        assert_eq!(left.rate(26.0), 4.0);
        assert_eq!(Steps::constant(0.0).until(0.0, 1.0), f64::INFINITY);
    }
}
