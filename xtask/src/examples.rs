//! `cargo xtask examples`: builds and runs everything under `examples`, against a local emulator if
//! a program makes a call.
//!
//! The C library is the installed one, and the wheel is the one that the hooks' step builds.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::capi::installed::{self, Installed};
use crate::run::{cargo, check, target_dir};
use crate::{bindings, linter, setup, tools};

/// Runs all examples; returns their number.
pub(crate) fn run(root: &Path) -> Result<u64, String> {
    let installed = installed::install(root)?;
    check(cargo(root).args(["build", "--quiet", "--locked", "-p", "cortexkey"]))?;
    check(cargo(root).args([
        "build",
        "--quiet",
        "--locked",
        "-p",
        "cortexkey-examples",
        "--bins",
    ]))?;
    let examples = Examples {
        folder: root.join("examples"),
        work: target_dir(root).join("examples"),
        programs: target_dir(root).join("debug"),
        python: tools::environment(root, "examples")?.join("python"),
        root,
        installed,
    };
    let _ = fs::remove_dir_all(&examples.work);
    fs::create_dir_all(&examples.work).map_err(|e| format!("{}: {e}", examples.work.display()))?;
    let tenant = Running::start(
        Command::new(examples.programs.join("cortexkey")).args(["tenant", "--quiet"]),
    )?;
    let caller = Caller::read(&tenant.line)?;
    let steps: [(&str, Result<(), String>); 10] = [
        ("rust", examples.rust(&caller)),
        ("c", examples.c()),
        ("cpp", examples.cpp()),
        ("go", examples.go()),
        ("python", examples.python(&caller)),
        ("node", examples.node(&caller)),
        ("kubernetes", examples.kubernetes()),
        ("terraform", examples.terraform()),
        ("gitlab", examples.gitlab()),
        ("action", examples.action()),
    ];
    let count = steps.len() as u64;
    for (name, outcome) in steps {
        outcome.map_err(|error| format!("examples, {name}: {error}"))?;
    }
    Ok(count)
}

/// The Terraform example with the real program, and the provider built from its module.
pub(crate) fn terraform(root: &Path) -> Result<(), String> {
    check(cargo(root).args(["build", "--quiet", "--locked", "-p", "cortexkey"]))?;
    let provider = setup::go_tool(root, &setup::EXTERNAL_PROVIDER)?;
    let work = target_dir(root).join("examples");
    fs::create_dir_all(&work).map_err(|e| format!("{}: {e}", work.display()))?;
    // Terraform uses a provider from this folder instead of the registry's.
    let settings = work.join("terraform.rc");
    let folder = provider.parent().unwrap_or(root).display();
    let text = format!(
        "provider_installation {{\n  dev_overrides {{\n    \"hashicorp/external\" = \"{folder}\"\n  }}\n  direct {{}}\n}}\n"
    );
    fs::write(&settings, text).map_err(|e| format!("{}: {e}", settings.display()))?;
    let mut script = Command::new(tools::environment(root, "examples")?.join("python"));
    script.arg(root.join("examples/tests/terraform.py")).arg(root.join("examples/terraform"));
    script.arg(target_dir(root).join("debug/cortexkey")).arg("terraform");
    check(script.env("TF_CLI_CONFIG_FILE", settings)).map(drop)
}

struct Examples<'a> {
    root: &'a Path,
    folder: PathBuf,
    work: PathBuf,
    programs: PathBuf,
    python: PathBuf,
    installed: Installed,
}

/// The key that calls the emulator.
struct Caller {
    url: String,
    id: String,
    key: String,
}

impl Caller {
    fn read(ready: &str) -> Result<Self, String> {
        let ready: serde_json::Value =
            serde_json::from_str(ready).map_err(|e| format!("the tenant's first line: {e}"))?;
        let key = &ready["keys"]["advanced"];
        let url = ready["url"].as_str().ok_or("the tenant has no address")?;
        Ok(Self {
            url: format!("{url}/api_keys/validate/"),
            id: key["id"].to_string(),
            key: key["key"].as_str().ok_or("the tenant has no key")?.to_owned(),
        })
    }

    /// The address without the path of a call.
    fn tenant(&self) -> &str {
        self.url.trim_end_matches("/api_keys/validate/")
    }

    fn give<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("CORTEXKEY_API_KEY_ID", &self.id).env("CORTEXKEY_API_KEY", &self.key)
    }
}

impl Examples<'_> {
    fn rust(&self, caller: &Caller) -> Result<(), String> {
        check(&mut Command::new(self.programs.join("verify")))?;
        let sign = || check(caller.give(&mut Command::new(self.programs.join("sign"))));
        let headers = sign()?;
        curl(&caller.url, &headers, "200")?;
        curl(&caller.url, &headers, "401")?;
        let server = Running::start(caller.give(&mut Command::new(self.programs.join("serve"))))?;
        let headers = sign()?;
        curl(server.line.trim(), &headers, "200")?;
        curl(server.line.trim(), &headers, "401")
    }

    fn c(&self) -> Result<(), String> {
        let source = self.folder.join("c/sign_and_verify.c");
        for compiler in ["gcc", "clang"] {
            let program = self.work.join(format!("c-{compiler}"));
            let mut compile = Command::new(compiler);
            compile.args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]).arg(&source);
            compile.args(self.installed.flags("cortexkey")?).arg("-o").arg(&program);
            check(&mut compile)?;
            check(self.with_library(&mut Command::new(&program)))?;
        }
        Ok(())
    }

    fn cpp(&self) -> Result<(), String> {
        let build = self.work.join("cpp");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(self.folder.join("cpp")).arg("-B").arg(&build);
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", self.installed.prefix.display()));
        check(configure.arg("-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror"))?;
        check(Command::new("cmake").arg("--build").arg(&build))?;
        check(self.with_library(&mut Command::new(build.join("sign_and_verify")))).map(drop)
    }

    fn go(&self) -> Result<(), String> {
        setup::go()?;
        let go = |arguments: &[&str]| {
            let mut go = Command::new("go");
            go.args(arguments).current_dir(self.folder.join("go")).env("CGO_ENABLED", "0");
            check(&mut go)
        };
        let untidy = check(Command::new("gofmt").arg("-l").arg(self.folder.join("go")))?;
        if !untidy.is_empty() {
            return Err(format!("gofmt would change {untidy}"));
        }
        go(&["vet", "./..."])?;
        go(&["run", "."]).map(drop)
    }

    fn python(&self, caller: &Caller) -> Result<(), String> {
        let program = bindings::python_program(self.root)?;
        let package = bindings::python_package(self.root)?;
        let call = || {
            let mut call = Command::new(&program);
            call.arg(self.folder.join("python/first_call.py")).arg(caller.tenant());
            call.env("PYTHONPATH", &package).env("CORTEXKEY_API_KEY_TYPE", "advanced");
            caller.give(&mut call);
            call
        };
        check(&mut call())?;
        fails(call().env("CORTEXKEY_API_KEY", "another-key"))
    }

    fn node(&self, caller: &Caller) -> Result<(), String> {
        let folder = self.work.join("node");
        let modules = folder.join("node_modules");
        fs::create_dir_all(&modules).map_err(|e| format!("{}: {e}", modules.display()))?;
        for name in ["package.json", "first_call.mjs"] {
            let from = self.folder.join("node").join(name);
            fs::copy(&from, folder.join(name)).map_err(|e| format!("{}: {e}", from.display()))?;
        }
        std::os::unix::fs::symlink(bindings::node_package(self.root)?, modules.join("cortexkey"))
            .map_err(|e| format!("{}: {e}", modules.display()))?;
        let call = || {
            let mut call = Command::new("node");
            call.arg("first_call.mjs").arg(caller.tenant()).current_dir(&folder);
            call.env("CORTEXKEY_API_KEY_TYPE", "advanced");
            caller.give(&mut call);
            call
        };
        check(&mut call())?;
        fails(call().env("CORTEXKEY_API_KEY", "another-key"))
    }

    fn kubernetes(&self) -> Result<(), String> {
        let manifest = self.folder.join("kubernetes/rotation.yaml");
        self.script("kubernetes.py", &[&manifest, &self.programs.join("cortexkey")])
    }

    fn terraform(&self) -> Result<(), String> {
        let folder = self.folder.join("terraform");
        self.script("terraform.py", &[&folder, &self.programs.join("cortexkey")])
    }

    fn gitlab(&self) -> Result<(), String> {
        let job = self.folder.join("ci/gitlab/key-definitions.yml");
        let corpus = self.root.join("policies/example");
        self.script("gitlab.py", &[&job, &corpus, &linter::wheel(self.root)?])
    }

    fn action(&self) -> Result<(), String> {
        let mut script = Command::new("sh");
        script.arg(self.folder.join("tests/action.sh")).arg(self.root).arg(&self.work);
        check(script.arg(linter::wheel(self.root)?)).map(drop)
    }

    fn script(&self, name: &str, arguments: &[&Path]) -> Result<(), String> {
        let mut script = Command::new(&self.python);
        script.arg(self.folder.join("tests").join(name)).args(arguments);
        check(&mut script).map(drop)
    }

    fn with_library<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("LD_LIBRARY_PATH", self.installed.lib())
    }
}

/// Sends headers to an address, and expects a status.
fn curl(url: &str, headers: &str, status: &str) -> Result<(), String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "30", "--output", "/dev/null"]);
    curl.args(["--header", "Content-Type: application/json"]);
    // A GET if the server has its own routes, otherwise a call of the tenant's.
    if url.contains("api_keys") {
        curl.args(["--data", "{}"]);
    }
    curl.args(["--write-out", "%{http_code}", "--header", "@-", url]);
    let mut sent = curl
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run curl: {error}"))?;
    let mut input = sent.stdin.take().ok_or("curl has no standard input")?;
    input.write_all(headers.as_bytes()).map_err(|error| format!("curl: {error}"))?;
    drop(input);
    let answered = sent.wait_with_output().map_err(|error| format!("curl: {error}"))?;
    let answered = String::from_utf8_lossy(&answered.stdout).into_owned();
    if answered == status { Ok(()) } else { Err(format!("expected {status}, got {answered}")) }
}

fn fails(command: &mut Command) -> Result<(), String> {
    match check(command) {
        Ok(output) => Err(format!("another key was accepted: {output}")),
        Err(_) => Ok(()),
    }
}

/// A server that prints one line when it is ready, until this is dropped.
struct Running {
    process: Child,
    line: String,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self, String> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|e| e.to_string())?;
        }
        Ok(Self { process, line })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
