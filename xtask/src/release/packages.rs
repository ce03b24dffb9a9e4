//! Packages for Debian and Fedora, by nfpm: the command, the shared library, and what programs are built with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, commit_time, copy};
use crate::run::{check, target_dir};
use crate::target::Target;
use crate::text_file;
use crate::{capi, setup};

/// What the packages are called, and where libraries belong.
struct Names {
    packager: &'static str,
    library: String,
    development: &'static str,
    folder: String,
}

/// Builds all packages of a target from the folders that were packed into archives.
pub(super) fn build(
    root: &Path,
    target: &Target,
    command: &Path,
    library: &Path,
    files: &Path,
) -> Result<(), String> {
    let abi = capi::abi_version(root)?;
    for names in [
        Names {
            packager: "deb",
            library: format!("libcortexkey{abi}"),
            development: "libcortexkey-dev",
            folder: format!("lib/{}-linux-gnu", target.processor()),
        },
        Names {
            packager: "rpm",
            library: "libcortexkey".to_owned(),
            development: "libcortexkey-devel",
            folder: "lib64".to_owned(),
        },
    ] {
        let work = target_dir(root).join("release/packages").join(names.packager);
        let _ = fs::remove_dir_all(&work);
        let [program, shared, development] =
            ["program", "shared", "development"].map(|part| work.join(part));
        lay_out_command(command, &program)?;
        lay_out_library(library, &shared, &development, &names.folder)?;
        for (template, tree) in
            [("cortexkey", &program), ("libcortexkey", &shared), ("libcortexkey-dev", &development)]
        {
            package(root, target, &names, template, tree, files)?;
        }
    }
    Ok(())
}

fn lay_out_command(archive: &Path, tree: &Path) -> Result<(), String> {
    let mut put = vec![(archive.join("cortexkey"), "usr/bin/cortexkey".to_owned())];
    for (from, to) in [
        ("completions/cortexkey.bash", "usr/share/bash-completion/completions/cortexkey"),
        ("completions/_cortexkey", "usr/share/zsh/vendor-completions/_cortexkey"),
        ("completions/cortexkey.fish", "usr/share/fish/vendor_completions.d/cortexkey.fish"),
        ("LICENSE-MIT", "usr/share/doc/cortexkey/LICENSE-MIT"),
        ("LICENSE-APACHE", "usr/share/doc/cortexkey/LICENSE-APACHE"),
        ("cortexkey.cdx.json", "usr/share/doc/cortexkey/cortexkey.cdx.json"),
    ] {
        put.push((archive.join(from), to.to_owned()));
    }
    let pages = archive.join("man");
    for page in fs::read_dir(&pages).map_err(|error| format!("{}: {error}", pages.display()))? {
        let page = page.map_err(|error| format!("{}: {error}", pages.display()))?;
        put.push((page.path(), format!("usr/share/man/man1/{}", page.file_name().display())));
    }
    for (from, to) in put {
        let to = tree.join(to);
        make_parent(&to)?;
        copy(&from, &to)?;
    }
    Ok(())
}

/// The library's own installer lays it out; the shared library then goes into a package of its own.
fn lay_out_library(
    archive: &Path,
    shared: &Path,
    development: &Path,
    folder: &str,
) -> Result<(), String> {
    let mut install = Command::new("sh");
    install
        .arg(archive.join("install.sh"))
        .args(["--prefix=/usr", &format!("--libdir=/usr/{folder}")]);
    check(install.arg(format!("--destdir={}", development.display())))?;
    let libraries = PathBuf::from("usr").join(folder);
    let from = development.join(&libraries);
    for entry in fs::read_dir(&from).map_err(|error| format!("{}: {error}", from.display()))? {
        let name = entry.map_err(|error| format!("{}: {error}", from.display()))?.file_name();
        if name.to_string_lossy().starts_with("libcortexkey.so.") {
            let to = shared.join(&libraries).join(&name);
            make_parent(&to)?;
            fs::rename(from.join(&name), &to)
                .map_err(|error| format!("{}: {error}", to.display()))?;
        }
    }
    Ok(())
}

fn make_parent(path: &Path) -> Result<(), String> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))
}

fn package(
    root: &Path,
    target: &Target,
    names: &Names,
    template: &str,
    tree: &Path,
    files: &Path,
) -> Result<(), String> {
    let path = root.join(format!("packaging/nfpm/{template}.yaml.in"));
    let text = text_file::read(&path)?;
    let seconds = commit_time(root)?;
    let time = check(Command::new("date").args([
        "-u",
        "-d",
        &format!("@{seconds}"),
        "+%Y-%m-%dT%H:%M:%SZ",
    ]))?;
    let processor = if target.processor() == "aarch64" { "arm64" } else { "amd64" };
    let text = text
        .replace("@VERSION@", VERSION)
        .replace("@ARCH@", processor)
        .replace("@ROOT@", &tree.to_string_lossy())
        .replace("@TIME@", time.trim())
        .replace("@LIBRARY@", &names.library)
        .replace("@DEVELOPMENT@", names.development);
    let config = tree.with_extension("yaml");
    text_file::write(&config, &text)?;
    let mut nfpm = Command::new(setup::go_tool(root, &setup::NFPM)?);
    nfpm.args(["package", "--packager", names.packager, "--config"]).arg(config);
    nfpm.arg("--target").arg(files).env("SOURCE_DATE_EPOCH", seconds);
    check(&mut nfpm).map(drop)
}
