//! A Kubernetes Secret, through `kubectl`.
//!
//! Creating a secret fails if its name is taken. Replacing one sends the version that was read, so
//! the server rejects the write if the secret has changed since.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::content::{Content, Json};
use super::program::{StoreTool, decode, encode};
use super::url::StoreUrl;
use super::{Backend, Held, StoreError};

/// A secret of a namespace.
pub(super) struct Kubernetes {
    tool: StoreTool,
    namespace: String,
    name: String,
}

impl Kubernetes {
    pub(super) fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let [namespace, name] = url.parts.as_slice() else { return Err(StoreError::Missing) };
        let namespace = namespace.clone();
        let name = name.clone();
        Ok(Self { tool: StoreTool::find("kubectl")?, namespace, name })
    }
}

impl Backend for Kubernetes {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let arguments = ["get", "secret", &self.name, "--namespace", &self.namespace];
        let more = ["--ignore-not-found", "--output", "json"];
        let ran = self.tool.run(&[&arguments[..], &more].concat(), b"")?;
        if ran.output()?.trim().is_empty() {
            return Ok(None);
        }
        let secret = Json(ran.json()?);
        if secret.0["kind"] != "Secret" {
            return Err(StoreError::Answer { expected: "a Secret" });
        }
        let mut fields = Map::new();
        for (name, value) in secret.0["data"].as_object().into_iter().flatten() {
            let value = value.as_str().ok_or(StoreError::Answer { expected: "a Secret" })?;
            // A binary value is not read and is kept as it is. It is no string, so nothing replaces it.
            let value = decode(value).map_or(Value::Bool(true), |text| text.as_str().into());
            fields.insert(name.clone(), value);
        }
        Ok(Some(Held { content: Content::Fields(Json(Value::Object(fields))), context: secret }))
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        let new = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": self.name, "namespace": self.namespace },
            "type": "Opaque",
        });
        let mut secret = Json(previous.map_or(new, |held| held.context.0.clone()));
        if !secret.0["data"].is_object() {
            secret.0["data"] = json!({});
        }
        for (name, value) in fields.0.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str() {
                secret.0["data"][name] = encode(text).into();
            }
        }
        let manifest = Zeroizing::new(serde_json::to_vec(&secret.0).unwrap_or_default());
        let command = if previous.is_some() { "replace" } else { "create" };
        let arguments = [command, "--namespace", &self.namespace, "--filename", "-"];
        let ran = self.tool.run(&[&arguments[..], &["--output", "name"]].concat(), &manifest)?;
        if ran.reports(&["AlreadyExists", "Conflict", "the object has been modified"]) {
            return Err(StoreError::Changed);
        }
        ran.output().map(|_| ())
    }

    fn detects_changes(&self) -> bool {
        true
    }
}
