//! End to end: the examples as clients and servers, in C and Go, with each other and with the
//! emulator, from the installed library; and the Go module as its users build it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::bundle;
use super::installed::Installed;
use crate::guide;
use crate::run::{capture, cargo, check, target_dir};

/// With `cortexkey_static` programs run from anywhere.
const CGO: [&str; 2] = ["-tags", "cortexkey_cgo,cortexkey_static"];
const KEY: &str = "a-test-key-of-no-tenant-but-for-this-one";

/// Runs every client against every server, with both levels; returns the number of calls.
pub(crate) fn run(root: &Path, installed: &Installed) -> Result<u64, String> {
    let programs = Programs::build(root, installed)?;
    let mut calls = 0;
    let clients = [&programs.c_client, &programs.go_client, &programs.cgo_client];
    for level in ["standard", "advanced"] {
        for server in [&programs.c_server, &programs.go_server, &programs.cgo_server] {
            let server = Server::start(Command::new(server).args(["7", level]), KEY)?;
            let url = format!("http://127.0.0.1:{}/", server.line.trim());
            for client in clients {
                call(client, &url, "7", level, KEY, true)?;
                call(client, &url, "7", level, "another-key", false)?;
                call(client, &url, "8", level, KEY, false)?;
                calls += 3;
            }
        }
    }
    let mut tenant = Command::new(target_dir(root).join("debug/cortexkey"));
    let tenant = Server::start(tenant.args(["tenant", "--quiet"]), KEY)?;
    let ready: serde_json::Value =
        serde_json::from_str(&tenant.line).map_err(|e| format!("the tenant's first line: {e}"))?;
    let tenant_url = ready["url"].as_str().unwrap_or_default();
    let url = format!("{tenant_url}/api_keys/validate/");
    for level in ["standard", "advanced"] {
        let key = &ready["keys"][level];
        let id = key["id"].to_string();
        let key = key["key"].as_str().unwrap_or_default();
        for client in clients {
            call(client, &url, &id, level, key, true)?;
            call(client, &url, &id, level, "another-key", false)?;
            calls += 2;
        }
    }
    decide(root, &programs.decide)?;
    shared_guard(installed, &programs.shared_guard)?;
    go_without_the_library(root, installed)?;
    go_vendored(root, installed)?;
    go_in_an_empty_root(installed, &programs.static_client)?;
    let guides = guides(root, installed, tenant_url, &ready)?;
    Ok(calls + 5 + guides)
}

struct Programs {
    c_client: PathBuf,
    c_server: PathBuf,
    decide: PathBuf,
    shared_guard: PathBuf,
    go_client: PathBuf,
    go_server: PathBuf,
    cgo_client: PathBuf,
    cgo_server: PathBuf,
    static_client: PathBuf,
}

impl Programs {
    fn build(root: &Path, installed: &Installed) -> Result<Self, String> {
        check(cargo(root).args(["build", "--quiet", "--locked", "-p", "cortexkey"]))?;
        let c = |compiler: &str, source: &str, standard: &str, package: &str| {
            let examples = installed.prefix.join("share/doc/cortexkey/examples");
            let program = installed.work.join(source.replace('.', "-"));
            let mut compile = Command::new(compiler);
            compile.args([standard, "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]);
            compile.arg(examples.join(source));
            compile.args(installed.flags("cortexkey")?);
            let flags = check(Command::new("pkg-config").args(["--cflags", "--libs", package]))?;
            check(compile.args(flags.split_whitespace()).arg("-o").arg(&program))?;
            Ok::<_, String>(program)
        };
        let go = |name: &str, what: &str, flags: &[&str], cgo: &str| {
            let program = installed.work.join(name);
            let mut build = installed.go(root, "build", cgo);
            check(build.args(flags).arg("-o").arg(&program).arg(format!("./examples/{what}")))?;
            Ok::<_, String>(program)
        };
        let whole = ["-ldflags", "-linkmode external -extldflags -static"];
        let whole =
            [&["-tags", "cortexkey_cgo,cortexkey_static,netgo,osusergo"], &whole[..]].concat();
        Ok(Self {
            c_client: c("gcc", "sign_curl.c", "-std=c11", "libcurl")?,
            c_server: c("gcc", "verify_server.c", "-std=c11", "libmicrohttpd")?,
            decide: c("g++", "decide.cpp", "-std=c++17", "libcurl")?,
            shared_guard: c("gcc", "shared_guard.c", "-std=c11", "hiredis")?,
            go_client: go("go-client", "client", &[], "0")?,
            go_server: go("go-server", "server", &[], "0")?,
            cgo_client: go("cgo-client", "client", &CGO, "1")?,
            cgo_server: go("cgo-server", "server", &CGO, "1")?,
            static_client: go("static-client", "client", &whole, "1")?,
        })
    }
}

/// A server that prints one line when it is ready, and stops when its input ends or it is killed.
struct Server {
    process: Child,
    line: String,
}

impl Server {
    fn start(command: &mut Command, key: &str) -> Result<Self, String> {
        command.env("CORTEXKEY_API_KEY", key).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            command.stderr(Stdio::null()).spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|e| format!("{command:?}: {e}"))?;
        }
        Ok(Self { process, line })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn call(
    client: &Path,
    url: &str,
    id: &str,
    level: &str,
    key: &str,
    good: bool,
) -> Result<(), String> {
    let mut call = Command::new(client);
    let ran = capture(call.args([url, id, level]).env("CORTEXKEY_API_KEY", key));
    let leaks = ran.all().contains(key) && level == "advanced";
    if ran.success == good && !leaks {
        return Ok(());
    }
    let client = client.display();
    Err(format!("{client} {url} {id} {level}, with a valid key: {good}\n{}", ran.all()))
}

/// Runs the guides for C and Go against the emulator; returns how many.
fn guides(
    root: &Path,
    installed: &Installed,
    url: &str,
    ready: &serde_json::Value,
) -> Result<u64, String> {
    let key = ready["keys"]["advanced"]["key"].as_str().unwrap_or_default();
    let home = installed.work.join("guides-home");
    let written = fs::create_dir_all(&home).and_then(|()| fs::write(home.join(".cortex-key"), key));
    written.map_err(|error| format!("{}: {error}", home.display()))?;
    let go = |name| check(Command::new("go").args(["env", name])).map(|out| out.trim().to_owned());
    let variables = [
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("HOME", home.display().to_string()),
        ("PKG_CONFIG_PATH", installed.pkgconfig.display().to_string()),
        ("GOCACHE", go("GOCACHE")?),
        ("GOPATH", go("GOPATH")?),
        ("CGO_ENABLED", "0".to_owned()),
    ];
    let module = "github.com/cortexkey/cortexkey/go";
    let replace = [
        ("https://api-acme.xdr.us.paloaltonetworks.com", url.to_owned()),
        ("api-acme.xdr.us.paloaltonetworks.com", url.trim_start_matches("http://").to_owned()),
        ("cxk_signer_new(7", "cxk_signer_new(2".to_owned()),
        ("NewSigner(7", "NewSigner(2".to_owned()),
        // The release may not exist yet; the sources do.
        (
            "go get github.com/cortexkey/cortexkey/go@latest",
            format!(
                "go mod edit -require {module}@v0.0.0 -replace {module}={}",
                root.join("go").display()
            ),
        ),
    ];
    let names = ["sign-from-c", "sign-from-go"];
    for name in names {
        let folder = installed.work.join(name);
        // Left over from the last run.
        let _ = fs::remove_dir_all(&folder);
        let page = root.join("docs/guides").join(name).with_extension("md");
        let page = fs::create_dir_all(&folder).and_then(|()| fs::read_to_string(&page));
        let page = page.map_err(|error| format!("{name}: {error}"))?;
        guide::run(&page, &folder, &variables, &replace)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(names.len().try_into().unwrap_or(0))
}

fn decide(root: &Path, program: &Path) -> Result<(), String> {
    let file = root.join("vectors/definitions/after.ckc");
    for (group, allowed) in [("prod-us", true), ("prod-ap", false)] {
        let ran = capture(Command::new(program).arg(&file).args(["eu/export", group]));
        if ran.success != allowed || !ran.all().contains(group) {
            return Err(format!("{}: {}", program.display(), ran.all()));
        }
    }
    Ok(())
}

/// Two members of a guard on one redis-server, and the first again, from its stored state.
fn shared_guard(installed: &Installed, program: &Path) -> Result<(), String> {
    let script = installed.prefix.join("share/doc/cortexkey/examples/replay_guard.lua");
    let folder = installed.work.join("shared-guard");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.map_err(|e| format!("a free port: {e}"))?.port().to_string();
    let mut redis = Command::new("redis-server");
    redis.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    let redis = redis.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let process = redis.map_err(|e| format!("redis-server: {e}"))?;
    let _redis = Server { process, line: String::new() };
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port.parse().unwrap_or(0))).is_ok() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    let member = |file: &str| {
        let mut member = Command::new(program);
        let ran = capture(member.arg(&port).arg(&script).arg(folder.join(file)));
        let is_good = ran.success && ran.all().contains("accepted 1, again 0");
        if is_good { Ok(()) } else { Err(format!("{}: {}", program.display(), ran.all())) }
    };
    let both = thread::scope(|scope| {
        let first = scope.spawn(|| member("a"));
        member("b").and(first.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    });
    both.and_then(|()| member("a"))
}

/// A program that imports the package over the library does not compile without cgo, and the
/// compiler explains why.
fn go_without_the_library(root: &Path, installed: &Installed) -> Result<(), String> {
    let body = "_, err := cortexkey.LoadDefinitions(nil)\n\tfmt.Println(err)";
    let folder = installed.consumer_of(&root.join("go"), "without", "/lib", body)?;
    let ran = capture(installed.go(root, "build", "0").arg(".").current_dir(&folder));
    if ran.success || !ran.all().contains("build constraints exclude all Go files") {
        return Err(format!(
            "package lib compiles without cgo, or the error does not explain it: {}",
            ran.all()
        ));
    }
    let program = folder.join("with");
    let mut build = installed.go(root, "build", "1");
    build.args(["-tags", "cortexkey_static", "-o"]).arg(&program).arg(".").current_dir(&folder);
    check(&mut build)?;
    let ran = capture(&mut Command::new(&program));
    if !ran.all().contains("invalid definitions") {
        return Err(format!("a program over package lib: {}", ran.all()));
    }
    Ok(())
}

/// `go mod vendor` keeps everything that a build needs: the header, and the archive if the module
/// has one. Without that the compiler reports what is missing.
fn go_vendored(root: &Path, installed: &Installed) -> Result<(), String> {
    const BUNDLED: [&str; 2] = ["-tags", "cortexkey_cgo,cortexkey_bundled"];
    let says = "fmt.Println(cortexkey.Backend())";
    let packed = installed.packed.to_string_lossy();
    let bundle = bundle::bundle(root, &[&packed])?;
    let folder = installed.consumer(&bundle, "vendored", says)?;
    check(installed.go(root, "mod", "1").arg("vendor").current_dir(&folder))?;
    for (flags, cgo, backend) in [(&[][..], "0", "pure Go"), (&BUNDLED[..], "1", ", bundled")] {
        // Not `go run`, which caches programs, and does not notice that the archive changed.
        let program = folder.join(format!("cgo-{cgo}"));
        let mut build = installed.go(root, "build", cgo);
        build.arg("-mod=vendor").args(flags).arg("-o").arg(&program).current_dir(&folder);
        check(build.env_remove("PKG_CONFIG_PATH"))?;
        // Go's println writes to standard error.
        let said = capture(&mut Command::new(&program)).all();
        if !said.contains(backend) {
            return Err(format!("a vendored build says {said}, not {backend}"));
        }
    }
    let folder = installed.consumer(&root.join("go"), "unbundled", says)?;
    let ran = capture(installed.go(root, "build", "1").args(BUNDLED).current_dir(&folder));
    if ran.success || !ran.all().contains("take the release file") {
        return Err(format!("a module without the archive is bundled: {}", ran.all()));
    }
    Ok(())
}

/// A static program with the library runs where nothing else is installed.
fn go_in_an_empty_root(installed: &Installed, program: &Path) -> Result<(), String> {
    let folder = installed.work.join("empty");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    fs::copy(program, folder.join("client")).map_err(|e| format!("{}: {e}", folder.display()))?;
    let url = "http://127.0.0.1:1/";
    let mut chroot = Command::new("chroot");
    chroot.arg(&folder).args(["/client", url, "7", "advanced"]).env("CORTEXKEY_API_KEY", KEY);
    let ran = capture(&mut chroot);
    // It signed, and found no server to send to.
    if ran.all().contains("connection refused") {
        return Ok(());
    }
    Err(format!("in an empty root: {}", ran.all()))
}

impl Installed {
    /// Go, with the installed library, in the module's folder.
    pub(crate) fn go(&self, root: &Path, what: &str, cgo: &str) -> Command {
        let mut go = self.go_tool(root, Path::new("go"), cgo);
        go.arg(what);
        go
    }

    /// A program that calls Go, with the same environment.
    pub(crate) fn go_tool(&self, root: &Path, program: &Path, cgo: &str) -> Command {
        let mut tool = Command::new(program);
        tool.current_dir(root.join("go")).env("CGO_ENABLED", cgo);
        tool.env("PKG_CONFIG_PATH", &self.pkgconfig).env("GOFLAGS", "").env("GOWORK", "off");
        if cgo == "1" {
            tool.env("GOFLAGS", self.relink());
        }
        tool
    }

    /// Go does not notice that pkg-config names another library than before. A flag that contains
    /// the folder, for the one package that uses it, forces a rebuild.
    fn relink(&self) -> String {
        let package = "github.com/cortexkey/cortexkey/go/internal/capi";
        format!("-gcflags={package}=-D={}", self.pkgconfig.display())
    }

    /// A module that uses our module in the folder `ours`.
    fn consumer(&self, ours: &Path, name: &str, body: &str) -> Result<PathBuf, String> {
        self.consumer_of(ours, name, "", body)
    }

    /// Like [`consumer`](Self::consumer), with one of its packages.
    fn consumer_of(
        &self,
        ours: &Path,
        name: &str,
        package: &str,
        body: &str,
    ) -> Result<PathBuf, String> {
        let folder = self.work.join(name);
        let made = |e: std::io::Error| format!("{}: {e}", folder.display());
        fs::create_dir_all(&folder).map_err(made)?;
        let module = "github.com/cortexkey/cortexkey/go";
        let text = format!(
            "module example.com/{name}\n\ngo 1.24\n\nrequire {module} v0.0.0\n\nreplace {module} => {:?}\n",
            ours.display()
        );
        fs::write(folder.join("go.mod"), text).map_err(made)?;
        let text = format!(
            "// Package main is a user.\npackage main\n\nimport (\n\t\"fmt\"\n\n\tcortexkey \"{module}{package}\"\n)\n\nfunc main() {{\n\t{body}\n}}\n"
        );
        fs::write(folder.join("main.go"), text).map_err(made)?;
        Ok(folder)
    }
}

/// Go's own checkers, each over all tests: races, pointers, memory, and an aggressive garbage
/// collector.
pub(crate) fn go_tools(root: &Path, installed: &Installed) -> Result<(), String> {
    // The name, a flag, and a variable with its value.
    for (name, flag, variable) in [
        ("race detector", "-race", None),
        ("cgocheck2", "-v=false", Some(("GOEXPERIMENT", "cgocheck2"))),
        ("address sanitizer", "-asan", None),
        ("checkptr", "-gcflags=all=-d=checkptr", None),
        ("GOGC=1", "-v=false", Some(("GOGC", "1"))),
    ] {
        let mut test = installed.go(root, "test", "1");
        test.args(["-count=1", "-tags", "cortexkey_static"]).arg(flag).arg(installed.relink());
        test.arg("./...").envs(variable);
        check(&mut test).map_err(|output| format!("Go under {name}:\n{output}"))?;
        println!("ok: Go under {name}");
    }
    Ok(())
}
