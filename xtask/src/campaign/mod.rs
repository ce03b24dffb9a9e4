//! The long proofs, run by hand; their figures are recorded in `docs/records.md`.

mod platforms;
mod project;
mod stores;

use std::path::Path;
use std::process::Command;

use crate::run::{cargo, target_dir};
use crate::{proofs, setup};

/// A proof: its name, what it shows, and the command.
struct Proof {
    name: &'static str,
    shows: &'static str,
    run: fn(&Path) -> Vec<Command>,
}

const PROOFS: &[Proof] = &[
    Proof {
        name: "fresh",
        shows: "both commands of the README pass in a new clone, with an empty CARGO_HOME and target",
        run: fresh,
    },
    Proof {
        name: "attack",
        shows: "in 50 rounds no command prints a key, whichever argument or variable contains it, and \
                none of 100,000 forged, damaged or hidden requests is accepted",
        run: attack,
    },
    Proof {
        name: "msrv",
        shows: "the whole workspace builds with the oldest compiler that Cargo.toml states",
        run: msrv,
    },
    Proof {
        name: "minimal-versions",
        shows: "the workspace builds with the oldest version of each dependency that Cargo.toml allows",
        run: project::minimal_versions,
    },
    Proof {
        name: "features",
        shows: "every crate builds with every combination of its features (cargo-hack)",
        run: project::features,
    },
    Proof {
        name: "semver",
        shows: "no public interface changed incompatibly since the last release without a new version \
                (builds cargo-semver-checks)",
        run: project::semver,
    },
    Proof {
        name: "public-api",
        shows: "the public interfaces of core and client are as recorded (builds cargo-public-api)",
        run: project::public_api,
    },
    Proof {
        name: "coverage",
        shows: "the tests cover at least the recorded share of each crate's lines (cargo-llvm-cov)",
        run: project::coverage,
    },
    Proof {
        name: "console",
        shows: "every state of the console in all four looks has nothing for axe to find; 5,000 keys open \
                in less than a second and filter in less than 100 ms; none of 10,000 generated strings on each page \
                executes (needs Chromium, Node)",
        run: project::console,
    },
    Proof {
        name: "console-strings",
        shows: "10,000 generated strings through each page of the console stay text",
        run: project::console_strings,
    },
    Proof {
        name: "console-streams",
        shows: "500 open streams of the console take less than 20 MB and slow signed requests by less \
                than 5 % (built for speed)",
        run: project::console_streams,
    },
    Proof {
        name: "docs-browser",
        shows: "axe finds nothing on the site's pages, light, dark and on a phone (needs Chromium, Node)",
        run: project::docs_browser,
    },
    Proof {
        name: "watch",
        shows: "mail servers with TLS, webhook libraries, Prometheus and calendars read what keys watch \
                sends and writes (installs promtool)",
        run: project::watch,
    },
    Proof {
        name: "stores",
        shows: "a key lives in OpenBao, pass, a keyring, Kubernetes, AWS, Azure and Google, each with its own \
                programs, and nothing is lost while the store fails (installs the stores; a real \
                kube-apiserver with etcd if CORTEXKEY_KUBE_APISERVER names one)",
        run: stores::stores,
    },
    Proof {
        name: "tools",
        shows: "curl, a Go program, demisto-py and demisto-sdk work through exec and proxy, the latter with \
                an Advanced key (needs Go and the Python registry)",
        run: stores::tools,
    },
    Proof {
        name: "killed",
        shows: "keys provision and keys watch, killed 1,000 times each while tenant and targets fail: one \
                key for each line, and no notice lost or sent again without cause",
        run: stores::killed,
    },
    Proof {
        name: "terraform",
        shows: "the Terraform example plans, with the real program and provider (builds the provider)",
        run: project::terraform,
    },
    Proof {
        name: "properties",
        shows: "every property holds for 1,000,000 cases in the core, and for 100,000 elsewhere",
        run: properties,
    },
    Proof {
        name: "forger",
        shows: "none of 60,000,000 forgeries from 10,000,000 captured requests is accepted",
        run: forger,
    },
    Proof {
        name: "unauthenticated",
        shows: "10,000,000 unauthenticated requests take less than 1 MiB of memory",
        run: unauthenticated_memory,
    },
    Proof {
        name: "secrets",
        shows: "nothing of 1,008 keys stays in memory, built for speed, with and without kernels, and with \
                SHA-256 in software",
        run: secrets,
    },
    Proof {
        name: "kills",
        shows: "a tenant on disk that is killed 1,000 times loses nothing and accepts no replay",
        run: kills,
    },
    Proof {
        name: "applies",
        shows: "an apply that is killed at 1,000 moments is finished by the next run, and no user is \
                left without a key",
        run: applies,
    },
    Proof {
        name: "shared",
        shows: "each of 100,000 requests to eight tenants on one redis-server is accepted once",
        run: shared,
    },
    Proof {
        name: "guard",
        shows: "in 5,000 seeded runs with every fault, on Redis and Valkey, the guard that tenants share \
                accepts no use twice",
        run: guard,
    },
    Proof {
        name: "malformed",
        shows: "1,000,000 malformed requests cause no panic, take less than 64 MB, and block no client",
        run: malformed,
    },
    Proof {
        name: "go-sdk",
        shows: "the vendor's Go SDK makes its calls on keys, roles and scopes against the tenant",
        run: go_sdk,
    },
    Proof {
        name: "contract",
        shows: "the emulator's responses match the vendor's description, read from the folder in \
                CORTEXKEY_DESCRIPTION",
        run: contract,
    },
    Proof {
        name: "tenant-speed",
        shows: "prints the emulator's start time, memory, and rate compared with FastAPI",
        run: tenant_speed,
    },
    Proof {
        name: "loom",
        shows: "in every schedule of two and three threads, one of equal requests is accepted",
        run: proofs::loom,
    },
    Proof {
        name: "guard-sizes",
        shows: "replay guards of 1,000,000 and 10,000,000 entries accept any mix of timestamps",
        run: proofs::guard,
    },
    Proof {
        name: "shuttle",
        shows: "in 1,000,000 random schedules of up to 64 verifiers, one of equal requests is accepted",
        run: proofs::shuttle,
    },
    Proof {
        name: "uniformity",
        shows: "100,000,000 characters from each way to draw a nonce are uniformly distributed",
        run: proofs::uniformity,
    },
    Proof {
        name: "sanitizer",
        shows: "the kernels access no byte out of bounds (address sanitizer, on nightly; valgrind)",
        run: proofs::sanitizer,
    },
    Proof {
        name: "threads",
        shows: "64 threads in the C library have no data race (thread sanitizer, on nightly)",
        run: threads,
    },
    Proof {
        name: "windows",
        shows: "the C library as a DLL exports what the header declares, and passes the known answers \
                and the C tests; the command runs quickstart and lint, and its files keep their \
                rights (installs mingw-w64 and wine)",
        run: platforms::windows,
    },
    Proof {
        name: "platforms",
        shows: "clippy finds nothing for Windows, and everything checks for macOS on both processors",
        run: platforms::check,
    },
    Proof {
        name: "musl",
        shows: "the static command runs quickstart in a folder that has nothing else (needs chroot)",
        run: platforms::musl,
    },
    Proof {
        name: "release",
        shows: "a release's files for Linux with glibc and musl and for Windows are built, the same bytes \
                twice; packages, archives and the Go module work where nothing else is installed \
                (needs root, debootstrap, wine), and Conan builds with them",
        run: platforms::release,
    },
    Proof {
        name: "go",
        shows: "Go's tests pass under its race detector, cgocheck2, asan, checkptr and GOGC=1; its \
                verifier and the library's agree on the inputs of a minute of fuzzing; the \
                examples for chi and gin work",
        run: go,
    },
    Proof {
        name: "go-vulnerabilities",
        shows: "govulncheck reports no vulnerability in what the Go module uses (needs vuln.go.dev)",
        run: go_vulnerabilities,
    },
    Proof {
        name: "thumb",
        shows: "the core builds for a processor without an operating system (thumbv7em)",
        run: proofs::thumb,
    },
    Proof {
        name: "portable",
        shows: "the kernels' portable paths pass the core's tests, without the processor's SHA-256 \
                instructions",
        run: proofs::portable,
    },
    Proof {
        name: "foreign",
        shows: "the tests of core, kernels and manifest pass on aarch64 and on s390x, which is big-endian (needs \
                qemu-user and cross compilers)",
        run: proofs::foreign,
    },
    Proof {
        name: "editors",
        shows: "the extensions for Visual Studio Code and Zed build, and the language server serves the \
                protocol packages of npm, Neovim, and Emacs (needs Node, Neovim, Emacs with eglot and \
                yaml-mode, and the npm registry)",
        run: editors,
    },
    Proof {
        name: "integrations",
        shows: "reviewdog, lefthook and pre-commit work as the linter's page says, and the plugins for \
                MegaLinter and trunk run the linter (needs Go and the Python registry)",
        run: integrations,
    },
    Proof {
        name: "documents",
        shows: "1,000,000 mutated documents, policies, expressions and comments do not break the \
                linter or its fixes; in 10,000,000 all readers agree on the plain form",
        run: documents,
    },
    Proof {
        name: "corpus",
        shows: "none of 100,000 definitions is missed, and no tree is kept; 32,000 in one file take less \
                than 20 times its size",
        run: corpus,
    },
    Proof {
        name: "yaml-suite",
        shows: "the YAML test suite is read as specified, except for differences with reasons (npm)",
        run: yaml_suite,
    },
    Proof {
        name: "mutants",
        shows: "a change of any rule's condition makes a test fail (needs cargo-mutants; an hour)",
        run: mutants,
    },
    Proof {
        name: "mutants-core",
        shows: "a change of signing, verification, replay or access makes a test of the core fail \
                (needs cargo-mutants; a day, or CORTEXKEY_SHARD=0/40 of it)",
        run: mutants_core,
    },
    Proof {
        name: "hooks",
        shows: "pre-commit runs each hook, including the one that builds from a checkout",
        run: hooks,
    },
    Proof { name: "fuzz", shows: "no input breaks a fuzz target within an hour each", run: fuzz },
];

/// Lists the proofs.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every command")]
pub(crate) fn list() -> Result<(), String> {
    for proof in PROOFS {
        println!("{:12} {}", proof.name, proof.shows);
    }
    Ok(())
}

/// Whether there is a proof with this name.
pub(crate) fn exists(name: &str) -> bool {
    PROOFS.iter().any(|proof| proof.name == name)
}

/// Runs a proof.
pub(crate) fn run(root: &Path, name: &str) -> Result<(), String> {
    let proof = PROOFS.iter().find(|proof| proof.name == name).ok_or_else(|| {
        let names: Vec<_> = PROOFS.iter().map(|proof| proof.name).collect();
        format!("there is no proof `{name}`; there are: {}", names.join(", "))
    })?;
    for mut command in (proof.run)(root) {
        println!("{command:?}");
        let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
        if !status.success() {
            return Err(format!("{name} failed: {status}"));
        }
    }
    Ok(())
}

/// A clone of what is committed. Where rustup is installed, its toolchain is used as
/// it is; what it lacks the gate sets up.
fn fresh(root: &Path) -> Vec<Command> {
    let folder = target_dir(root).join("fresh");
    let checkout = folder.join("checkout");
    let cargo_home = folder.join("cargo-home");
    let mut remove = Command::new("rm");
    remove.arg("-rf").arg(&folder);
    let mut clone = Command::new("git");
    clone.args(["clone", "--quiet", "--no-hardlinks"]).arg(root).arg(&checkout);
    let as_readme = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(&checkout).env("CARGO_HOME", &cargo_home);
        // Variables of this run: its compiler, its packages and its target.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let own = text.starts_with("CARGO") && text != "CARGO_HOME";
            if own || matches!(&*text, "RUSTC" | "RUSTUP_TOOLCHAIN" | "RUSTFLAGS") {
                command.env_remove(&name);
            }
        }
        command
    };
    vec![remove, clone, as_readme(&["run", "--", "quickstart"]), as_readme(&["xtask", "test"])]
}

fn attack(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey", "--test", "it", "attack::"]);
    test.env("CORTEXKEY_ATTACKS", "50");
    let mut tenant = cargo(root);
    tenant.args(["test", "--release", "-p", "cortexkey-tenant", "--test", "it", "attack::"]);
    tenant.env("CORTEXKEY_ATTACKS", "50000");
    vec![test, tenant]
}

fn msrv(root: &Path) -> Vec<Command> {
    let rust_version = env!("CARGO_PKG_RUST_VERSION");
    let mut install = Command::new("rustup");
    install.args(["toolchain", "install", "--profile", "minimal", rust_version]);
    let mut build = Command::new("rustup");
    build.args(["run", rust_version, "cargo", "check", "--workspace", "--all-targets", "--locked"]);
    build.env("CARGO_TARGET_DIR", target_dir(root).join("msrv")).current_dir(root);
    // Cargo passes its own compiler on to the programs it runs; the older Cargo must use its own.
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        build.env_remove(name);
    }
    vec![install, build]
}

fn properties(root: &Path) -> Vec<Command> {
    let test = |args: &[&str], cases: &str| {
        let mut test = cargo(root);
        test.args(["test", "--release"]).args(args);
        // Linking a program for each test takes longer than what it saves.
        test.env("CARGO_PROFILE_RELEASE_LTO", "off");
        test.env("PROPTEST_CASES", cases);
        test
    };
    vec![
        test(&["-p", "cortexkey-core"], "1000000"),
        test(
            &["--workspace", "--exclude", "cortexkey-core", "--exclude", "cortexkey-benches"],
            "100000",
        ),
    ]
}

fn forger(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey-core", "--test", "forger"]);
    test.env("CORTEXKEY_FORGERIES", "10000000");
    vec![test]
}

fn unauthenticated_memory(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey-core", "--test", "unauthenticated_memory"]);
    test.env("CORTEXKEY_UNAUTHENTICATED", "10000000");
    vec![test]
}

fn secrets(root: &Path) -> Vec<Command> {
    let test = |features: &[&str]| {
        let mut test = cargo(root);
        test.args(["test", "--release", "-p", "cortexkey-core", "--test", "secrets"]);
        test.args(features).env("CORTEXKEY_CANARIES", "1008");
        test
    };
    let mut software = test(&[]);
    software.env("RUSTFLAGS", "--cfg sha2_backend=\"soft\"");
    software.env("CARGO_TARGET_DIR", target_dir(root).join("portable"));
    vec![test(&[]), test(&["--features", "kernels"]), software]
}

fn kills(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey", "--test", "tenant_kill", "--"]);
    test.arg("--nocapture").env("CORTEXKEY_KILLS", "1000");
    vec![test]
}

fn applies(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey", "--test", "apply_killed"]);
    test.env("CORTEXKEY_KILLS", "1000");
    vec![test]
}

fn shared(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey", "--test", "tenant_shared", "--"]);
    test.arg("--nocapture").env("CORTEXKEY_DUPLICATES", "100000");
    vec![test]
}

fn guard(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey-tenant", "--lib", "--"]);
    test.args(["no_simulated_run_accepts_a_request_twice", "--nocapture"])
        .env("CORTEXKEY_GUARD_RUNS", "5000");
    vec![test]
}

fn editors(root: &Path) -> Vec<Command> {
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--locked", "-p", "cortexkey"]);
    let target = target_dir(root);
    let mut clients = Command::new(root.join("editors/tests/run.sh"));
    clients.arg(target.join("debug/cortexkey")).arg(target.join("editors"));
    vec![build, clients]
}

fn integrations(root: &Path) -> Vec<Command> {
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--locked", "-p", "cortexkey"]);
    let target = target_dir(root);
    let folder = target.join("integrations");
    let mut tools = Command::new("python3");
    tools.args(["-m", "venv"]).arg(folder.join("python"));
    let mut install = Command::new(folder.join("python/bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check"]);
    install.args(["lefthook==2.2.2", "pre-commit==4.7.0", "PyYAML==6.0.3"]);
    let mut reviewdog = Command::new("go");
    reviewdog.args(["install", "github.com/reviewdog/reviewdog/cmd/reviewdog@v0.21.0"]);
    reviewdog.env("GOBIN", folder.join("go"));
    let own = [folder.join("python/bin"), folder.join("go")];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)));
    let mut run = Command::new(root.join("packaging/integrations/run.sh"));
    run.arg(target.join("debug/cortexkey")).arg(folder.join("run"));
    run.env("PATH", path.unwrap_or_default());
    vec![build, tools, install, reviewdog, run]
}

fn documents(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey-lint", "--test", "fuzz_bodies"]);
    // Nine times as many inputs in total: four targets run once, and fixing runs five times.
    test.env("CORTEXKEY_MUTATIONS", "112000");
    let mut plain = cargo(root);
    plain.args(["test", "--release", "-p", "cortexkey-manifest", "--test", "plain_form", "--"]);
    plain.arg("--nocapture").env("CORTEXKEY_PLAIN", "10000000");
    vec![plain, test]
}

fn corpus(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey-lint", "--test", "large_corpus"]);
    test.args(["--test", "large_file", "--", "--nocapture"]);
    // As one file, these keys have nine million bytes.
    test.env("CORTEXKEY_FILES", "100000").env("CORTEXKEY_KEYS", "32000");
    vec![test]
}

fn yaml_suite(root: &Path) -> Vec<Command> {
    let mut script = Command::new("sh");
    script.arg(root.join("crates/manifest/tests/suite/run.sh")).current_dir(root);
    vec![script]
}

fn mutants(root: &Path) -> Vec<Command> {
    let mut mutants = cargo(root);
    mutants.args(["mutants", "-p", "cortexkey-lint", "--file", "crates/lint/src/rules/*/*.rs"]);
    // Incremental, and without linking programs that are not run.
    mutants.args(["--cap-lints", "true", "--cargo-arg=--test=it"]).env("CARGO_INCREMENTAL", "1");
    vec![mutants]
}

fn mutants_core(root: &Path) -> Vec<Command> {
    let mut mutants = cargo(root);
    mutants.args(["mutants", "-p", "cortexkey-core", "--cap-lints", "true", "--timeout", "300"]);
    for part in ["auth", "replay", "access"] {
        mutants.args(["--file", &format!("crates/core/src/{part}/**/*.rs")]);
    }
    if let Ok(shard) = std::env::var("CORTEXKEY_SHARD") {
        mutants.args(["--sharding", "round-robin", "--shard", &shard]);
    }
    mutants.env("CARGO_INCREMENTAL", "1");
    vec![mutants]
}

fn hooks(root: &Path) -> Vec<Command> {
    let mut again = cargo(root);
    again.args(["run", "--quiet", "-p", "xtask", "--", "hooks"]);
    vec![again]
}

fn threads(root: &Path) -> Vec<Command> {
    let mut script = Command::new("sh");
    script.arg(root.join("crates/capi/tests/threads.sh"));
    script.arg(target_dir(root).join("threads"));
    vec![script]
}

fn go(root: &Path) -> Vec<Command> {
    let mut tools = cargo(root);
    tools.args(["xtask", "go-tools"]);
    let fuzz = |target: &str| {
        let mut fuzz = Command::new("go");
        fuzz.args(["test", "-tags", "cortexkey_static", "-run", "^$", "-fuzz", target]);
        let prefix = target_dir(root).join("dist/check/prefix");
        fuzz.env("PKG_CONFIG_PATH", prefix.join("lib/x86_64-linux-gnu/pkgconfig"));
        fuzz.args(["-fuzztime", "60s", "./lib"]).current_dir(root.join("go"));
        fuzz
    };
    // A separate module, because ours has no dependencies.
    let mut routers = Command::new("go");
    routers.args(["test", "./..."]).current_dir(root.join("go/examples/routers"));
    vec![tools, routers, fuzz("FuzzBothVerifiers"), fuzz("FuzzBothSigners")]
}

fn go_vulnerabilities(root: &Path) -> Vec<Command> {
    // If it cannot be built, running the missing command reports it.
    let program = setup::go_tool(root, &setup::GOVULNCHECK).unwrap_or_else(|why| {
        eprintln!("{why}");
        "govulncheck".into()
    });
    let mut check = Command::new(program);
    check.arg("./...").current_dir(root.join("go")).env("CGO_ENABLED", "0");
    vec![check]
}

fn malformed(root: &Path) -> Vec<Command> {
    let mut test = cargo(root);
    test.args(["test", "--release", "-p", "cortexkey", "--test", "tenant_malformed", "--"]);
    test.arg("--nocapture").env("CORTEXKEY_MALFORMED", "1000000");
    vec![test]
}

fn go_sdk(root: &Path) -> Vec<Command> {
    let target = target_dir(root);
    let mut build = cargo(root);
    build.args(["build", "-p", "cortexkey"]);
    let mut script = Command::new("sh");
    script.arg(root.join("crates/tenant/tests/go/run.sh"));
    script.args([target.join("debug/cortexkey"), target.join("go-sdk")]);
    vec![build, script]
}

fn contract(root: &Path) -> Vec<Command> {
    let target = target_dir(root);
    let mut build = cargo(root);
    build.args(["build", "-p", "cortexkey"]);
    // A separate Python environment: only this campaign uses the tool.
    let folder = target.join("python-contract");
    let python = folder.join("bin/python");
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&folder);
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "schemathesis==4.32.5"]);
    let mut script = Command::new(python);
    script.arg(root.join("crates/tenant/tests/python/contract.py"));
    script.arg(target.join("debug/cortexkey"));
    // Next to the repository by default.
    let beside = root.join("../description").into_os_string();
    script.arg(std::env::var_os("CORTEXKEY_DESCRIPTION").unwrap_or(beside));
    script.current_dir(target);
    vec![build, make, install, script]
}

fn tenant_speed(root: &Path) -> Vec<Command> {
    let mut build = cargo(root);
    build.args(["build", "--release", "-p", "cortexkey"]);
    // A Python of its own: the peer is for the benchmark alone.
    let folder = target_dir(root).join("python-peers");
    let python = folder.join("bin/python");
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&folder);
    let mut install = Command::new(&python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "fastapi==0.163.2",
        "uvicorn[standard]==0.54.0",
    ]);
    let mut bench = cargo(root);
    bench.args(["bench", "-p", "cortexkey-benches", "--bench", "tenant"]);
    bench.env("CORTEXKEY_BIN", target_dir(root).join("release/cortexkey"));
    bench.env("CORTEXKEY_PYTHON", python);
    vec![build, make, install, bench]
}

fn fuzz(root: &Path) -> Vec<Command> {
    let mut again = cargo(root);
    again.args(["run", "--quiet", "-p", "xtask", "--", "fuzz", "--seconds", "3600"]);
    vec![again]
}
