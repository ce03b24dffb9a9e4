//! Adds the trusted certificates to an example.
//!
//! PowerShell has no option for certificates, so no example is printed then: one that trusts the
//! system's certificates would ignore the setting.

use std::path::{Path, PathBuf};

use cortexkey_manifest::{is_invisible, quote};
use thiserror::Error;

use super::Language;

/// Why an example cannot respect the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExampleError {
    /// The language's client has no option for certificates.
    #[error(
        "an example in {language} cannot take --ca-file: add the authority to the system's store and \
         leave it out, or choose another language"
    )]
    NoCaFile {
        /// The language.
        language: Language,
    },
    /// The path of the certificates cannot be written as a string.
    #[error(
        "the path {} of the certificates cannot be written in an example: it is not UTF-8, or \
         has invisible characters",
        quote(&path.to_string_lossy())
    )]
    CaFilePath {
        /// The path.
        path: PathBuf,
    },
}

/// An insertion: the text after which it is placed, and the text itself. `PATH` is replaced by the
/// quoted path.
type Insertion = (&'static str, &'static str);

const CURL: &[Insertion] = &[("--config - \\\n", "        --cacert PATH \\\n")];

const PYTHON: &[Insertion] = &[
    ("build_opener(NoRedirect", ", TLS"),
    ("import os\n", "import ssl\n"),
    (
        "KEY = os.environ[\"CORTEXKEY_API_KEY\"]\n",
        "# Certificates to trust instead of the system's.\n\
         TLS = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=PATH))\n",
    ),
];

const GO: &[Insertion] = &[
    ("import (\n", "\t\"crypto/tls\"\n\t\"crypto/x509\"\n"),
    (
        "signer.SignRequest(request); err != nil {\n\t\tlog.Fatal(err)\n\t}\n",
        "\t// Certificates to trust instead of the system's.\n\tpem, err := \
         os.ReadFile(PATH)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\troots := \
         x509.NewCertPool()\n\tif !roots.AppendCertsFromPEM(pem) {\n\t\tlog.Fatal(\"the file \
         contains no certificate\")\n\t}\n\ttransport := \
         http.DefaultTransport.(*http.Transport).Clone()\n\ttransport.TLSClientConfig = \
         &tls.Config{RootCAs: roots}\n",
    ),
    ("http.ErrUseLastResponse },\n\t}\n", "\tclient.Transport = transport\n"),
];

const C: &[Insertion] = &[(
    "curl_easy_setopt(curl, CURLOPT_URL, url);\n",
    "  curl_easy_setopt(curl, CURLOPT_CAINFO, PATH);\n",
)];

const RUST: &[Insertion] =
    &[("let given = ExplicitSettings {\n", "        ca_file: Some(PATH.into()),\n")];

/// The example with the certificates of a file.
pub(super) fn with(text: &str, language: Language, file: &Path) -> Result<String, ExampleError> {
    let insertions = match language {
        Language::Curl => CURL,
        Language::Python => PYTHON,
        Language::Go => GO,
        Language::C => C,
        Language::Rust => RUST,
        Language::PowerShell => return Err(ExampleError::NoCaFile { language }),
    };
    let path = quoted(file, language)?;
    let mut text = text.to_owned();
    for (behind, insertion) in insertions {
        let insertion = insertion.replace("PATH", &path);
        text = text.replacen(behind, &format!("{behind}{insertion}"), 1);
    }
    Ok(text)
}

/// A path as a string literal. It is absolute, because the example may run elsewhere.
fn quoted(file: &Path, language: Language) -> Result<String, ExampleError> {
    let unfit = || ExampleError::CaFilePath { path: file.to_owned() };
    let path = std::path::absolute(file).map_err(|_| unfit())?;
    let path = path.to_str().ok_or_else(unfit)?;
    if path.contains(|c: char| c.is_control() || is_invisible(c)) {
        return Err(unfit());
    }
    Ok(match language {
        Language::Curl => format!("'{}'", path.replace('\'', r"'\''")),
        _ => format!("\"{}\"", path.replace('\\', r"\\").replace('"', "\\\"")),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::RequestExample;
    use super::*;

    fn text(file: &str, language: Language) -> Result<String, ExampleError> {
        RequestExample { ca_file: Some(file.into()), ..RequestExample::default() }.text(language)
    }

    #[test]
    fn every_insertion_has_its_place() {
        for language in Language::ALL {
            if language == Language::PowerShell {
                assert_eq!(text("/ca.pem", language), Err(ExampleError::NoCaFile { language }));
                continue;
            }
            let with = text("/ca.pem", language).unwrap();
            let without = RequestExample::default().text(language).unwrap();
            assert_eq!(with.matches("/ca.pem").count(), 1, "{language}");
            let added = with.lines().count() - without.lines().count();
            let expected = match language {
                Language::Go => 14,
                // In Rust, the settings get their braces.
                Language::Python | Language::Rust => 3,
                _ => 1,
            };
            assert_eq!(added, expected, "{language}: {with}");
        }
    }

    #[test]
    fn a_path_stays_one_string() {
        let path = r#"/a 'b' "c" \d $(e) é"#;
        let shell = text(path, Language::Curl).unwrap();
        assert!(shell.contains(r#"--cacert '/a '\''b'\'' "c" \d $(e) é' \"#), "{shell}");
        let python = text(path, Language::Python).unwrap();
        assert!(python.contains(r#"cafile="/a 'b' \"c\" \\d $(e) é"))"#), "{python}");
        for unfit in ["/a\nb", "/a\u{1b}[1m", "/a\u{202e}b"] {
            assert!(matches!(text(unfit, Language::C), Err(ExampleError::CaFilePath { .. })));
        }
        let relative = text("ca.pem", Language::Go).unwrap();
        let folder = std::env::current_dir().unwrap();
        assert!(relative.contains(&format!("os.ReadFile(\"{}/ca.pem\")", folder.display())));
    }
}
