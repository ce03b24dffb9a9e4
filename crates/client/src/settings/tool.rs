//! [`Tool`]: the environment variables from which other programs read a key.
//!
//! A tool that sends only Standard headers never gets an Advanced key: the tenant would answer each
//! of its requests with 401.

use std::path::Path;

use cortexkey_core::auth::{KeyId, Level};
use zeroize::Zeroizing;

/// The names of the variables that a program reads; empty for what it does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tool {
    /// The name for `--as`.
    pub name: String,
    /// The variables for the API's address.
    pub api_url: Vec<String>,
    /// The variables for the key's id.
    pub key_id: Vec<String>,
    /// The variables for the security level, `standard` or `advanced`.
    pub level: Vec<String>,
    /// The variables for a Standard key; empty if the program cannot use one.
    pub standard: Vec<String>,
    /// The variables for an Advanced key; empty if the program cannot sign with one.
    pub advanced: Vec<String>,
    /// The variables for a file of certificates to trust.
    pub ca_file: Vec<String>,
    /// Whether the tool prefers the variables in a file `.env` to its environment.
    pub prefers_env_file: bool,
}

/// The values for a tool: a key of the tenant, or the token of a proxy in its place.
pub struct ToolKey<'a> {
    /// Where the tool sends its requests.
    pub api_url: &'a str,
    /// The key's id.
    pub key_id: KeyId,
    /// How the tool signs.
    pub level: Level,
    /// The key.
    pub key: &'a str,
    /// A file of certificates to trust.
    pub ca_file: Option<&'a Path>,
}

/// One environment variable of a child process.
pub struct Variable {
    /// The variable's name.
    pub name: String,
    /// The value, which is the key if `is_key` is set.
    pub value: Zeroizing<String>,
    /// Whether the value is the key.
    pub is_key: bool,
}

/// Why a tool cannot use a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// Neither a built-in tool nor a mapping of the profile has the name.
    #[error(
        "there is no tool `{name}`\nhelp: give one of {}, or a mapping of the profile in \
         [profiles.NAME.exec]",
        known.join(", ")
    )]
    Unknown {
        /// The requested name.
        name: String,
        /// The known tools, including the profile's own.
        known: Vec<String>,
    },
    /// The tool signs with keys of the other level only.
    #[error("{tool} does not support {level} keys")]
    Level {
        /// The tool.
        tool: String,
        /// The level of the key.
        level: Level,
    },
}

/// A built-in tool. It does not read what a field leaves empty.
struct BuiltIn {
    name: &'static str,
    api_url: &'static [&'static str],
    key_id: &'static [&'static str],
    level: &'static [&'static str],
    standard: &'static [&'static str],
    advanced: &'static [&'static str],
    ca_file: &'static [&'static str],
    prefers_env_file: bool,
}

const PYTHON_CA: &[&str] = &["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"];

/// Taken from demisto-sdk 1.39, demisto-py 3.3, the documentation of the Terraform provider and of
/// Cortex CLI, and the settings of the Cortex MCP server.
const BUILT_IN: [BuiltIn; 6] = [
    BuiltIn {
        name: "demisto-sdk",
        api_url: &["DEMISTO_BASE_URL"],
        key_id: &["XSIAM_AUTH_ID"],
        level: &[],
        standard: &["DEMISTO_API_KEY"],
        advanced: &[],
        ca_file: PYTHON_CA,
        prefers_env_file: true,
    },
    BuiltIn {
        name: "demisto-py",
        api_url: &["DEMISTO_BASE_URL"],
        key_id: &["DEMISTO_API_KEY_ID", "XSIAM_AUTH_ID"],
        level: &[],
        standard: &["DEMISTO_API_KEY"],
        advanced: &["DEMISTO_ADVANCED_API_KEY"],
        ca_file: PYTHON_CA,
        prefers_env_file: false,
    },
    BuiltIn {
        name: "terraform",
        api_url: &["CORTEXCLOUD_API_URL"],
        key_id: &["CORTEXCLOUD_API_KEY_ID"],
        level: &["CORTEXCLOUD_API_KEY_TYPE"],
        standard: &["CORTEXCLOUD_API_KEY"],
        advanced: &["CORTEXCLOUD_API_KEY"],
        ca_file: &["SSL_CERT_FILE"],
        prefers_env_file: false,
    },
    BuiltIn {
        name: "cortex-cli",
        api_url: &["CORTEX_API_BASE_URL"],
        key_id: &["CORTEX_API_KEY_ID"],
        level: &[],
        standard: &["CORTEX_API_KEY"],
        advanced: &[],
        ca_file: &["SSL_CERT_FILE"],
        prefers_env_file: false,
    },
    BuiltIn {
        name: "mcp",
        api_url: &["CORTEX_MCP_PAPI_URL"],
        key_id: &["CORTEX_MCP_PAPI_AUTH_ID"],
        level: &["CORTEX_MCP_PAPI_KEY_TYPE"],
        standard: &["CORTEX_MCP_PAPI_AUTH_HEADER"],
        advanced: &["CORTEX_MCP_PAPI_AUTH_HEADER"],
        ca_file: PYTHON_CA,
        prefers_env_file: false,
    },
    BuiltIn {
        name: "generic",
        api_url: &["CORTEXKEY_API_URL"],
        key_id: &["CORTEXKEY_API_KEY_ID"],
        level: &["CORTEXKEY_API_KEY_TYPE"],
        standard: &["CORTEXKEY_API_KEY"],
        advanced: &["CORTEXKEY_API_KEY"],
        ca_file: &["SSL_CERT_FILE"],
        prefers_env_file: false,
    },
];

impl Tool {
    /// The names of the built-in tools.
    pub fn built_in() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|tool| tool.name)
    }

    /// Finds a tool; the profile's own come first.
    pub fn find(name: &str, own: &[Self]) -> Result<Self, ToolError> {
        if let Some(tool) = own.iter().find(|tool| tool.name == name) {
            return Ok(tool.clone());
        }
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let built_in = BUILT_IN.iter().find(|tool| tool.name == name).map(|tool| Self {
            name: tool.name.to_owned(),
            api_url: owned(tool.api_url),
            key_id: owned(tool.key_id),
            level: owned(tool.level),
            standard: owned(tool.standard),
            advanced: owned(tool.advanced),
            ca_file: owned(tool.ca_file),
            prefers_env_file: tool.prefers_env_file,
        });
        built_in.ok_or_else(|| {
            let own = own.iter().map(|tool| tool.name.clone());
            let known = Self::built_in().map(str::to_owned).chain(own).collect();
            ToolError::Unknown { name: name.to_owned(), known }
        })
    }

    /// The names of all variables that the tool reads a key or its tenant from.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = [&self.api_url, &self.key_id, &self.level, &self.standard, &self.advanced];
        names.into_iter().flatten().map(String::as_str)
    }

    /// The variables that give this tool a key.
    pub fn variables(&self, given: &ToolKey<'_>) -> Result<Vec<Variable>, ToolError> {
        let key_names = match given.level {
            Level::Standard => &self.standard,
            Level::Advanced => &self.advanced,
        };
        if key_names.is_empty() {
            return Err(ToolError::Level { tool: self.name.clone(), level: given.level });
        }
        let ca_file = given.ca_file.map(|path| path.display().to_string());
        let settings = [
            (&self.api_url, Some(given.api_url.to_owned())),
            (&self.key_id, Some(given.key_id.to_string())),
            (&self.level, Some(given.level.to_string())),
            (&self.ca_file, ca_file),
        ];
        let mut variables = Vec::new();
        for (names, value) in settings {
            let Some(value) = value else { continue };
            variables.extend(names.iter().map(|name| Variable::new(name, &value, false)));
        }
        variables.extend(key_names.iter().map(|name| Variable::new(name, given.key, true)));
        Ok(variables)
    }
}

impl Variable {
    fn new(name: &str, value: &str, is_key: bool) -> Self {
        Self { name: name.to_owned(), value: Zeroizing::new(value.to_owned()), is_key }
    }
}
