//! 1Password, through `op`. A field's name is its label or its id, in any case, as in the addresses of
//! `op`. Only the fields of the key are read and changed.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::content::{Content, Json, names, text_of};
use super::program::StoreTool;
use super::url::StoreUrl;
use super::{Backend, Held, StoreError};

/// An item of a vault.
pub(super) struct OnePassword {
    tool: StoreTool,
    vault: String,
    item: String,
    field: String,
}

impl OnePassword {
    pub(super) fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let [vault, item] = url.parts.as_slice() else { return Err(StoreError::Missing) };
        let vault = vault.clone();
        let item = item.clone();
        let field = url.field.clone();
        Ok(Self { tool: StoreTool::find("op")?, vault, item, field })
    }

    /// The item with these fields: existing ones are updated, and new ones are added.
    fn item(&self, fields: &Json, previous: Option<&Held>) -> Result<Json, StoreError> {
        let new = json!({ "title": self.item, "category": "API_CREDENTIAL", "fields": [] });
        let mut item = Json(previous.map_or(new, |held| held.context.0.clone()));
        let list = item.0["fields"].as_array_mut();
        let list = list.ok_or(StoreError::Answer { expected: FIELDS })?;
        for (name, value) in fields.0.as_object().into_iter().flatten() {
            if let Some(at) = find(list, name)? {
                list[at]["value"] = value.clone();
            } else {
                let kind = if *name == self.field { "CONCEALED" } else { "STRING" };
                list.push(json!({ "label": name, "type": kind, "value": value }));
            }
        }
        Ok(item)
    }
}

impl Backend for OnePassword {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let arguments = ["item", "get", &self.item, "--vault", &self.vault, "--format", "json"];
        let ran = self.tool.run(&arguments, b"")?;
        if ran.reports(&["isn't an item"]) {
            return Ok(None);
        }
        let item = Json(ran.json()?);
        let list = item.0["fields"].as_array();
        let list = list.ok_or(StoreError::Answer { expected: FIELDS })?;
        let mut fields = Map::new();
        for name in names(&self.field) {
            let value = find(list, &name)?.and_then(|at| text_of(&list[at], "value"));
            if let Some(value) = value {
                fields.insert(name, value.into());
            }
        }
        Ok(Some(Held { content: Content::Fields(Json(Value::Object(fields))), context: item }))
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        let item = self.item(fields, previous)?;
        let template = Zeroizing::new(serde_json::to_vec(&item.0).unwrap_or_default());
        let place = ["--vault", &self.vault, "--format", "json"];
        let arguments: Vec<&str> = match previous {
            Some(_) => ["item", "edit", &self.item].into_iter().chain(place).collect(),
            None => ["item", "create", "-"].into_iter().chain(place).collect(),
        };
        self.tool.done(&arguments, &template)
    }
}

const FIELDS: &str = "an item with fields";

/// The place of the field with a name. It is unclear which of several is meant.
fn find(fields: &[Value], name: &str) -> Result<Option<usize>, StoreError> {
    let is_named = |field: &Value| {
        let names = ["label", "id"].into_iter().filter_map(|part| text_of(field, part));
        names.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let mut places = (0..fields.len()).filter(|at| is_named(&fields[*at]));
    match (places.next(), places.next()) {
        (found, None) => Ok(found),
        _ => Err(StoreError::Answer { expected: "an item whose fields have different names" }),
    }
}
