//! `cargo xtask release recipes`: the recipes of package managers, with the version and digests of the files
//! that were built, each checked by its own tool where that is installed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, files, pack};
use crate::run::{check, has, target_dir};
use crate::target::{TARGETS, Target};
use crate::text_file;
use crate::tools;

/// A file's digest in the forms that recipes want.
struct Digest {
    sha256: String,
    sha256_sri: String,
    sha512: String,
}

/// By the archive's name (`cortexkey` or `libcortexkey`) and target.
type Digests = BTreeMap<(String, String), Digest>;

/// Fills in all templates from the release's files, checks the results, and packs them.
pub(super) fn run(root: &Path) -> Result<(), String> {
    let folder = target_dir(root).join("release").join(format!("cortexkey-{VERSION}-recipes"));
    write(root, &folder, &digests_of(&files(root))?)?;
    check_all(root, &folder)?;
    let archive = files(root).join(format!("cortexkey-{VERSION}-recipes.tar.gz"));
    pack::archive(root, &folder, &archive)?;
    println!("{}", archive.display());
    Ok(())
}

/// Fills in all templates, with zeros for files that were not built, and checks the results.
pub(crate) fn check_templates(root: &Path) -> Result<(), String> {
    let folder = target_dir(root).join("release").join(format!("cortexkey-{VERSION}-recipes"));
    let mut digests = empty_digests();
    digests.extend(digests_of(&files(root))?);
    write(root, &folder, &digests)?;
    check_all(root, &folder)
}

fn write(root: &Path, folder: &Path, digests: &Digests) -> Result<(), String> {
    let templates = root.join("packaging/recipes");
    let _ = fs::remove_dir_all(folder);
    for template in templates_in(&templates)? {
        let text =
            fs::read_to_string(&template).map_err(|e| format!("{}: {e}", template.display()))?;
        let filled =
            fill(&text, digests).map_err(|why| format!("{}: {why}", template.display()))?;
        let below = template.strip_prefix(&templates).unwrap_or(&template).with_extension("");
        let place = folder.join(below);
        let parent = place.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        text_file::write(&place, &filled)?;
    }
    Ok(())
}

fn templates_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            all.extend(templates_in(&path)?);
        } else if path.extension().is_some_and(|end| end == "in") {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

/// Replaces `@VERSION@` and `@FORM:NAME:TARGET@`; a digest that is not there is an error.
fn fill(template: &str, digests: &Digests) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('@') {
        filled += before;
        let field = after.split_once('@').filter(|(field, _)| !field.contains(char::is_whitespace));
        match field {
            Some(("VERSION", behind)) => {
                filled += VERSION;
                rest = behind;
            }
            Some((field, behind)) if field.starts_with("sha") => {
                filled += &digest(field, digests)?;
                rest = behind;
            }
            // An address.
            _ => {
                filled.push('@');
                rest = after;
            }
        }
    }
    Ok(filled + rest)
}

fn digest(field: &str, digests: &Digests) -> Result<String, String> {
    let [form, name, target] = *field.split(':').collect::<Vec<_>>().as_slice() else {
        return Err(format!("@{field}@ has not the form @FORM:NAME:TARGET@"));
    };
    let key = (name.to_owned(), target.to_owned());
    let digest = digests.get(&key).ok_or_else(|| format!("there is no {name} for {target}"))?;
    match form {
        "sha256" => Ok(digest.sha256.clone()),
        "sha256-sri" => Ok(digest.sha256_sri.clone()),
        "sha512" => Ok(digest.sha512.clone()),
        _ => Err(format!("{form} is no form of a digest")),
    }
}

/// The archives of the command and of the C library that are in a folder.
fn digests_of(folder: &Path) -> Result<Digests, String> {
    let mut digests = Digests::new();
    for triple in TARGETS {
        let target = Target::named(triple)?;
        for name in ["cortexkey", "libcortexkey"] {
            let file = folder.join(format!("{name}-{VERSION}-{triple}.{}", target.archive_end()));
            if file.is_file() {
                digests.insert((name.to_owned(), triple.to_owned()), digest_of(&file)?);
            }
        }
    }
    Ok(digests)
}

fn digest_of(file: &Path) -> Result<Digest, String> {
    let sum = |program: &str| {
        let sum = check(Command::new(program).arg("--").arg(file))?;
        let digest = sum.split_whitespace().next().unwrap_or_default().trim_start_matches('\\');
        Ok::<_, String>(digest.to_owned())
    };
    let sha256 = sum("sha256sum")?;
    let sha256_sri = sri(&sha256).ok_or("sha256sum printed no digest")?;
    Ok(Digest { sha256, sha256_sri, sha512: sum("sha512sum")? })
}

/// `sha256-` and the digest in base64, as Nix wants it.
fn sri(hex: &str) -> Option<String> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
        .collect::<Option<_>>()?;
    let mut text = "sha256-".to_owned();
    for group in bytes.chunks(3) {
        let bits =
            (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { char::from(letter) } else { '=' });
        }
    }
    Some(text)
}

fn empty_digests() -> Digests {
    let names = ["cortexkey", "libcortexkey"];
    let all = names.iter().flat_map(|name| TARGETS.iter().map(move |target| (name, target)));
    let zeros = || Digest {
        sha256: "0".repeat(64),
        sha256_sri: format!("sha256-{}=", "A".repeat(43)),
        sha512: "0".repeat(128),
    };
    all.map(|(name, target)| (((*name).to_owned(), (*target).to_owned()), zeros())).collect()
}

/// Each recipe by its own tool, and by the parsers in the set `recipes`.
fn check_all(root: &Path, folder: &Path) -> Result<(), String> {
    let programs = tools::environment(root, "recipes")?;
    let mut parse = Command::new(programs.join("python"));
    check(parse.arg(root.join("packaging/recipes/check.py")).arg(folder))?;
    let mut docker = Command::new(programs.join("hadolint"));
    check(docker.arg("--no-color").arg(folder.join("docker/Dockerfile")))?;
    if has("ruby") {
        check(Command::new("ruby").arg("-c").arg(folder.join("homebrew/cortexkey.rb")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_and_a_missing_digest_is_an_error() {
        let digests = empty_digests();
        let filled = fill("a@b.c @VERSION@ @sha256:cortexkey:x86_64-apple-darwin@ @", &digests);
        let zeros = "0".repeat(64);
        assert_eq!(filled.unwrap(), format!("a@b.c {VERSION} {zeros} @"));
        for bad in
            ["@sha256:cortexkey:riscv@", "@sha1:cortexkey:x86_64-apple-darwin@", "@sha256:x@"]
        {
            fill(bad, &digests).unwrap_err();
        }
        fill("@sha256:cortexkey:x86_64-apple-darwin@", &Digests::new()).unwrap_err();
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("cortexkey-{VERSION}-x86_64-unknown-linux-musl.tar.gz");
        fs::write(folder.path().join(name), "abc").unwrap();
        let digests = digests_of(folder.path()).unwrap();
        assert_eq!(digests.len(), 1);
        let digest = digests.values().next().unwrap();
        // SHA-256 of `abc`, from FIPS 180-4, and the same in base64.
        assert!(digest.sha256.starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert_eq!(digest.sha256_sri, "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(digest.sha512.len(), 128);
    }
}
