//! Reads TOML tables key by key, remembers where each stands, and refuses what
//! nobody asked for.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::planner::problem::{Problem, Said, nearest};
use crate::planner::quantity as q;

/// A document: its name, for errors, and its text, for lines.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Currency of all its prices.
    pub currency: &'a str,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        self.text.as_bytes()[..at]
            .split(|byte| *byte == b'\n')
            .count()
    }

    /// An error at a byte of the document.
    fn problem(&self, at: usize, place: String, says: String, hint: String) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line: self.line(at),
            place,
            says,
            hint,
        }
    }
}

/// Parses a document.
pub fn parse(source: Source<'_>) -> Result<DeTable<'_>, Problem> {
    let table = DeTable::parse(source.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let says = error.message().to_owned();
        let hint = if says.contains("duplicate key") {
            "say it once"
        } else if says.contains("escape") {
            "within \"...\" a backslash is doubled; '...' takes paths as they are"
        } else {
            "the file must be TOML 1.0: texts in quotes, tables in [..] or {..}"
        };
        source.problem(at, String::new(), says, hint.to_owned())
    })?;
    Ok(table.into_inner())
}

/// One table of a document.
#[derive(Debug)]
pub struct Reader<'a> {
    source: Source<'a>,
    table: &'a DeTable<'a>,
    path: String,
    at: usize,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Reader<'a> {
    /// The whole document.
    pub fn top(source: Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self {
            source,
            table,
            path: String::new(),
            at: 0,
            asked: RefCell::default(),
        }
    }

    fn place(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Where the table stands.
    pub fn said(&self) -> Said {
        Said {
            file: self.source.file.into(),
            line: self.source.line(self.at),
        }
    }

    /// An error at a key, or at the table if the key is not there.
    pub fn wrong(&self, key: &str, says: impl Into<String>, hint: impl Into<String>) -> Problem {
        let at = self
            .table
            .get(key)
            .map_or(self.at, |value| value.span().start);
        self.source
            .problem(at, self.place(key), says.into(), hint.into())
    }

    /// The error of a key that must be there; names the slip, if there is one.
    pub fn missing(&self, key: &'static str, hint: impl Into<String>) -> Problem {
        let slip = self.table.keys().find(|other| {
            let known = self
                .asked
                .borrow()
                .iter()
                .any(|asked| *asked == other.get_ref().as_ref());
            !known && nearest(other.get_ref(), &[key]).is_some()
        });
        match slip {
            Some(slip) => {
                let place = self.place(slip.get_ref());
                let hint = format!("did you mean `{key}`?");
                self.source
                    .problem(slip.span().start, place, "unknown key".to_owned(), hint)
            }
            None => self.wrong(key, "is missing", hint),
        }
    }

    fn typed<T>(
        &self,
        key: &'static str,
        what: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        read(value.get_ref()).map(Some).ok_or_else(|| {
            let found = found(value.get_ref());
            let hint = if what.starts_with("a number") && value.get_ref().as_str().is_some() {
                "write shares like 0.3, without quotes"
            } else {
                ""
            };
            self.wrong(key, format!("expected {what}, found {found}"), hint)
        })
    }

    /// A text.
    pub fn text(&self, key: &'static str) -> Result<Option<&'a str>, Problem> {
        self.typed(key, "a text in quotes", |value| value.as_str())
    }

    /// A text that must be there.
    pub fn name(&self, key: &'static str) -> Result<String, Problem> {
        let name = self.text(key)?.map(str::to_owned);
        name.filter(|name| !name.is_empty() && name.len() <= 200)
            .ok_or_else(|| self.missing(key, format!("add `{key} = \"...\"`")))
    }

    /// A quantity with its unit.
    pub fn quantity<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let Some(text) = value.get_ref().as_str() else {
            let hint = if value.get_ref().as_datetime().is_some() {
                "put it in quotes"
            } else {
                "write quantities like \"20 Mbit/s\" or \"2 GiB\""
            };
            let found = found(value.get_ref());
            return Err(self.wrong(
                key,
                format!("expected a text with a unit, found {found}"),
                hint,
            ));
        };
        let parsed = parse(text);
        parsed.map(Some).map_err(|says| self.wrong(key, says, ""))
    }

    /// An amount of money, in the currency of the document.
    pub fn money(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<(f64, String), String>,
    ) -> Result<Option<f64>, Problem> {
        let Some((amount, currency)) = self.quantity(key, parse)? else {
            return Ok(None);
        };
        q::same(&currency, self.source.currency)
            .map(|()| Some(amount))
            .map_err(|says| self.wrong(key, says, "say `currency` in [scenario]"))
    }

    /// A whole number.
    pub fn count(&self, key: &'static str) -> Result<Option<u64>, Problem> {
        let read = |value: &'a DeValue<'a>| {
            let integer = value.as_integer()?;
            u64::from_str_radix(integer.as_str(), integer.radix()).ok()
        };
        self.typed(key, "a whole number that is not negative", read)
    }

    /// True or false.
    pub fn flag(&self, key: &'static str) -> Result<Option<bool>, Problem> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    /// A number.
    pub fn number(&self, key: &'static str) -> Result<Option<f64>, Problem> {
        self.typed(key, "a number without quotes", real)
    }

    /// A part of one, from 0 to 1.
    pub fn share(&self, key: &'static str) -> Result<Option<f64>, Problem> {
        let Some(share) = self.typed(key, "a number from 0 to 1", real)? else {
            return Ok(None);
        };
        if !(0.0..=1.0).contains(&share) {
            let hint = if (1.0..=100.0).contains(&share) {
                format!("shares go from 0 to 1: write {:.2}", share / 100.0)
            } else {
                "shares go from 0 to 1".to_owned()
            };
            return Err(self.wrong(key, format!("{share} is no share"), hint));
        }
        Ok(Some(share))
    }

    /// Several shares.
    pub fn shares(&self, key: &'static str) -> Result<Option<Vec<f64>>, Problem> {
        let list = self.typed(key, "a list of numbers", |value| {
            let array = value.as_array()?;
            array
                .iter()
                .map(|value| real(value.get_ref()))
                .collect::<Option<Vec<f64>>>()
        })?;
        let Some(list) = list else {
            return Ok(None);
        };
        if let Some(share) = list.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            return Err(self.wrong(key, format!("{share} is no share"), "shares go from 0 to 1"));
        }
        Ok(Some(list))
    }

    /// Several texts.
    pub fn texts(&self, key: &'static str) -> Result<Option<Vec<&'a str>>, Problem> {
        self.typed(key, "a list of texts", |value| {
            let array = value.as_array()?;
            array.iter().map(|value| value.get_ref().as_str()).collect()
        })
    }

    /// A table in this one.
    pub fn table(&self, key: &'static str) -> Result<Option<Self>, Problem> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        self.inner(self.place(key), key, value).map(Some)
    }

    /// A list of tables, perhaps empty.
    pub fn tables(&self, key: &'static str) -> Result<Vec<Self>, Problem> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let Some(array) = value.get_ref().as_array() else {
            let hint = format!("write [[{}]]", self.place(key));
            return Err(self.wrong(key, "expected a list of tables", hint));
        };
        let each = array.iter().enumerate();
        each.map(|(at, value)| self.inner(format!("{}[{at}]", self.place(key)), key, value))
            .collect()
    }

    /// All tables in this one, by name.
    pub fn named(&self) -> Result<Vec<(String, Self)>, Problem> {
        let mut all = Vec::new();
        for (key, value) in self.table {
            let name = key.get_ref().to_string();
            let reader = self.inner(self.place(&name), &name, value)?;
            all.push((name, reader));
        }
        Ok(all)
    }

    fn inner(
        &self,
        path: String,
        key: &str,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Result<Self, Problem> {
        let Some(table) = value.get_ref().as_table() else {
            let says = format!("expected a table, found {}", value.get_ref().type_str());
            return Err(self.wrong(key, says, ""));
        };
        Ok(Self {
            source: self.source,
            table,
            path,
            at: value.span().start,
            asked: RefCell::default(),
        })
    }

    /// Whether a key is given.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Refuses keys that nobody asked for.
    pub fn finish(&self) -> Result<(), Problem> {
        let mut known = self.asked.borrow().clone();
        known.sort_unstable();
        known.dedup();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let near = nearest(name, &known);
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let hint = format!("{near}known here: {}", known.join(", "));
            let says = "unknown key".to_owned();
            return Err(self
                .source
                .problem(key.span().start, self.place(name), says, hint));
        }
        Ok(())
    }
}

/// What was found instead, with its value where it is a number.
fn found(value: &DeValue<'_>) -> String {
    let number = value.as_integer().map(|number| format!("{number}"));
    let number = number.or_else(|| value.as_float().map(|number| format!("{number}")));
    number.unwrap_or_else(|| value.type_str().to_owned())
}

fn real(value: &DeValue<'_>) -> Option<f64> {
    if let Some(float) = value.as_float() {
        return float.as_str().parse().ok();
    }
    value
        .as_integer()
        .and_then(|integer| integer.as_str().parse().ok())
}
