//! The secret managers of AWS, Azure and Google, through their official programs.
//!
//! A secret holds one JSON object. Values are passed through standard input. Creating a secret
//! fails if its name is taken. Azure has no such call, so the check immediately before is the only
//! protection there.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::content::{Content, Json, text_of};
use super::program::StoreTool;
use super::url::StoreUrl;
use super::{Backend, Held, StoreError};

/// The path at which a program can open its standard input.
const STDIN: &str = "/dev/stdin";

/// A secret of AWS Secrets Manager.
pub(super) struct Aws {
    tool: StoreTool,
    name: String,
}

impl Aws {
    pub(super) fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        // Its output would go through a pager on a terminal.
        Ok(Self { tool: StoreTool::find("aws")?.with("AWS_PAGER", ""), name: url.path() })
    }
}

impl Backend for Aws {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let ran = self.tool.run(
            &["secretsmanager", "get-secret-value", "--secret-id", &self.name, "--output", "json"],
            b"",
        )?;
        if ran.reports(&["ResourceNotFoundException"]) {
            // A secret that was created without a value reports its missing version.
            return Ok(ran.reports(&["staging label"]).then(without_value));
        }
        held(text_of(&Json(ran.json()?).0, "SecretString")).map(Some)
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        let value = text(fields)?;
        let (command, name) = match previous {
            Some(_) => ("put-secret-value", "--secret-id"),
            None => ("create-secret", "--name"),
        };
        // A complete request (`--cli-input-json`) is read twice, which standard input does not
        // allow.
        let from = format!("file://{STDIN}");
        let place = [name, self.name.as_str(), "--secret-string", &from, "--output", "json"];
        let arguments = [&["secretsmanager", command][..], &place].concat();
        let ran = self.tool.run(&arguments, value.as_bytes())?;
        if ran.reports(&["ResourceExistsException"]) {
            return Err(StoreError::Changed);
        }
        ran.output().map(|_| ())
    }
}

/// A secret of Azure Key Vault.
pub(super) struct Azure {
    tool: StoreTool,
    vault: String,
    name: String,
}

impl Azure {
    pub(super) fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let [vault, name] = url.parts.as_slice() else { return Err(StoreError::Missing) };
        Ok(Self { tool: StoreTool::find("az")?, vault: vault.clone(), name: name.clone() })
    }

    fn arguments<'a>(&'a self, command: &'a str, output: &'a str) -> Vec<&'a str> {
        let place = ["--vault-name", &self.vault, "--name", &self.name, "--output", output];
        ["keyvault", "secret", command].into_iter().chain(place).collect()
    }
}

impl Backend for Azure {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let ran = self.tool.run(&self.arguments("show", "json"), b"")?;
        if ran.reports(&["SecretNotFound"]) {
            return Ok(None);
        }
        held(text_of(&Json(ran.json()?).0, "value")).map(Some)
    }

    fn write(&self, fields: &Json, _: Option<&Held>) -> Result<(), StoreError> {
        let mut arguments = self.arguments("set", "none");
        // Without the encoding, the program would treat the string as base64.
        arguments.extend(["--file", STDIN, "--encoding", "utf-8"]);
        self.tool.done(&arguments, text(fields)?.as_bytes())
    }
}

/// A secret of Google Secret Manager.
pub(super) struct Gcp {
    tool: StoreTool,
    project: String,
    name: String,
}

impl Gcp {
    pub(super) fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let [project, name] = url.parts.as_slice() else { return Err(StoreError::Missing) };
        let tool = StoreTool::find("gcloud")?.with("CLOUDSDK_CORE_DISABLE_PROMPTS", "1");
        Ok(Self { tool, project: project.clone(), name: name.clone() })
    }
}

impl Backend for Gcp {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let name = self.name.as_str();
        let project = self.project.as_str();
        let latest = ["secrets", "versions", "access", "latest"];
        let arguments: Vec<&str> =
            latest.into_iter().chain(["--secret", name, "--project", project]).collect();
        let ran = self.tool.run(&arguments, b"")?;
        if !ran.reports(&["NOT_FOUND"]) {
            return held(Some(ran.output()?.as_str())).map(Some);
        }
        let arguments = ["secrets", "describe", name, "--project", project, "--format", "json"];
        let described = self.tool.run(&arguments, b"")?;
        if described.reports(&["NOT_FOUND"]) {
            return Ok(None);
        }
        described.output()?;
        Ok(Some(without_value()))
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        let value = text(fields)?;
        let place = [self.name.as_str(), "--project", &self.project, "--data-file", "-"];
        let (command, replication): (&[&str], &[&str]) = match previous {
            Some(_) => (&["secrets", "versions", "add"], &[]),
            None => (&["secrets", "create"], &["--replication-policy", "automatic"]),
        };
        let arguments = [command, &place, replication].concat();
        let ran = self.tool.run(&arguments, value.as_bytes())?;
        if ran.reports(&["ALREADY_EXISTS"]) {
            return Err(StoreError::Changed);
        }
        ran.output().map(|_| ())
    }
}

fn held(value: Option<&str>) -> Result<Held, StoreError> {
    let value = value.ok_or(StoreError::Answer { expected: "a secret that is text" })?;
    Ok(Held { content: Content::parse(value)?, context: Json(Value::Null) })
}

/// A secret that exists but has no value yet.
fn without_value() -> Held {
    Held { content: Content::Fields(Json(json!({}))), context: Json(Value::Null) }
}

fn text(json: &Json) -> Result<Zeroizing<String>, StoreError> {
    let expected = "JSON";
    serde_json::to_string(&json.0).map(Zeroizing::new).map_err(|_| StoreError::Answer { expected })
}
