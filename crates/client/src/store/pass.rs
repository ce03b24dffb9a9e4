//! `pass`, the standard Unix password manager. The key is on the first line, and its metadata on
//! `name: value` lines below. Other lines are kept.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::content::{Content, Json};
use super::program::StoreTool;
use super::url::StoreUrl;
use super::{Backend, Held, StoreError};

/// An entry of the password store.
pub(super) struct Pass {
    tool: StoreTool,
    path: String,
    field: String,
}

impl Pass {
    pub(super) fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        Ok(Self { tool: StoreTool::find("pass")?, path: url.path(), field: url.field.clone() })
    }
}

impl Backend for Pass {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let ran = self.tool.run(&["show", &self.path], b"")?;
        if ran.reports(&["is not in the password store"]) {
            return Ok(None);
        }
        let output = ran.output()?;
        let mut lines = output.lines();
        let first = lines.next().unwrap_or_default();
        // For a folder, `pass` prints its name and what is in it.
        if first.trim_end_matches('/') == self.path {
            return Err(StoreError::Answer { expected: "a secret; the path is a folder" });
        }
        let mut fields = Map::new();
        fields.insert(self.field.clone(), first.into());
        let mut others = Vec::new();
        for line in lines {
            match line.split_once(": ") {
                Some((name, value)) if name.starts_with(&format!("{}_", self.field)) => {
                    fields.insert(name.to_owned(), value.into());
                }
                _ => others.push(Value::from(line)),
            }
        }
        let content = Content::Fields(Json(Value::Object(fields)));
        Ok(Some(Held { content, context: Json(Value::Array(others)) }))
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        let mut text = Zeroizing::new(String::new());
        let value = |name: &str| fields.0[name].as_str().unwrap_or_default();
        text.push_str(value(&self.field));
        text.push('\n');
        for name in fields.0.as_object().into_iter().flatten().map(|(name, _)| name) {
            if *name != self.field {
                for part in [name, ": ", value(name), "\n"] {
                    text.push_str(part);
                }
            }
        }
        let others = previous.and_then(|held| held.context.0.as_array());
        for line in others.into_iter().flatten().filter_map(Value::as_str) {
            text.push_str(line);
            text.push('\n');
        }
        self.tool.done(&["insert", "--multiline", "--force", &self.path], text.as_bytes())
    }
}
