//! Output of the tour: text for people, or one JSON document a line.

use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::{Value, json};

/// Where the tour writes.
#[derive(Debug, Clone, Copy)]
pub struct Show {
    json: bool,
}

impl Show {
    /// Text, or JSON lines.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// A step of the tour begins.
    pub fn step(self, number: u32, text: &str) {
        self.write(
            &format!("\n{number}. {text}"),
            "step",
            &json!({"number": number, "text": text}),
        );
    }

    /// A fact.
    pub fn fact(self, text: &str) {
        self.write(&format!("   {text}"), "fact", &json!({"text": text}));
    }

    /// Live progress.
    pub fn progress(self, text: &str) {
        self.write(&format!("   {text}"), "progress", &json!({"text": text}));
    }

    /// A promise that was checked.
    pub fn promise(self, held: bool, text: &str) {
        let mark = if held { "held" } else { "BROKEN" };
        self.write(
            &format!("   [{mark}] {text}"),
            "promise",
            &json!({"held": held, "text": text}),
        );
    }

    /// A table; the rows also go out as they are in JSON.
    pub fn table(self, name: &str, head: &[&str], rows: &[Vec<String>], data: &impl Serialize) {
        if self.json {
            let data = serde_json::to_value(data).unwrap_or(Value::Null);
            self.write("", name, &json!({"rows": data}));
            return;
        }
        let width = |column: usize| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(String::len);
            cells.chain([head[column].len()]).max().unwrap_or(0)
        };
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells
                .enumerate()
                .map(|(at, cell)| format!("{cell:>w$}", w = width(at)));
            format!("   {}", cells.collect::<Vec<_>>().join("  "))
        };
        out(&line(&mut head.iter().copied()));
        for row in rows {
            out(&line(&mut row.iter().map(String::as_str)));
        }
    }

    fn write(self, text: &str, kind: &str, data: &Value) {
        if !self.json {
            return out(text);
        }
        let mut document = json!({"schema": "patchmesh.demo/1", "message_type": kind});
        if let (Some(document), Some(data)) = (document.as_object_mut(), data.as_object()) {
            document.extend(data.clone());
        }
        out(&document.to_string());
    }
}

fn out(text: &str) {
    // A reader that has gone away ends the tour at its own pace.
    drop(writeln!(io::stdout(), "{text}"));
}
