//! 1Password, through `op`. An item's fields are the secret's fields, by their labels.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::content::{Content, Json, text_of};
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
    fn item(&self, fields: &Json, previous: Option<&Held>) -> Json {
        let new = json!({ "title": self.item, "category": "API_CREDENTIAL", "fields": [] });
        let mut item = previous.map_or(new, |held| held.context.0.clone());
        let Some(list) = item["fields"].as_array_mut() else { return Json(item) };
        for (name, value) in fields.0.as_object().into_iter().flatten() {
            if let Some(field) = list.iter_mut().find(|field| label(field) == Some(name)) {
                field["value"] = value.clone();
            } else {
                let kind = if *name == self.field { "CONCEALED" } else { "STRING" };
                list.push(json!({ "label": name, "type": kind, "value": value }));
            }
        }
        Json(item)
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
        let list = list.ok_or(StoreError::Answer { expected: "an item with fields" })?;
        let mut fields = Map::new();
        for field in list {
            if let (Some(label), Some(value)) = (label(field), text_of(field, "value")) {
                fields.insert(label.to_owned(), value.into());
            }
        }
        Ok(Some(Held { content: Content::Fields(Json(Value::Object(fields))), context: item }))
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        let item = self.item(fields, previous);
        let template = Zeroizing::new(serde_json::to_vec(&item.0).unwrap_or_default());
        let place = ["--vault", &self.vault, "--format", "json"];
        let arguments: Vec<&str> = match previous {
            Some(_) => ["item", "edit", &self.item].into_iter().chain(place).collect(),
            None => ["item", "create", "-"].into_iter().chain(place).collect(),
        };
        self.tool.done(&arguments, &template)
    }
}

/// The name that an address uses for a field of an item.
fn label(field: &Value) -> Option<&str> {
    text_of(field, "label").or_else(|| text_of(field, "id"))
}
