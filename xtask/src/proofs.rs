//! Proofs that build the core in special ways: with a checker's locks, without a standard library,
//! and for valgrind.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, check, target_dir};

/// The largest stack use of signing or verifying, however the core is built.
const STACK_BYTES_MAX: &str = "2048";
/// What a compiler assumes of every machine.
const MEMORY_FUNCTIONS: [&str; 5] = ["memcpy", "memmove", "memset", "memcmp", "bcmp"];
/// The cases of `constant_time.c` that valgrind must complain about.
const PLANTED_LEAKS: [&str; 3] = ["early-exit", "table", "undeclared"];
/// The exit code for valgrind to use when it complains.
const COMPLAINT: i32 = 99;

/// The replay guard with loom's atomics: every schedule that stops a thread a few times.
pub(crate) fn loom(root: &Path) -> Vec<Command> {
    vec![schedules(root, "loom", &["--release"])]
}

/// The replay guard with shuttle's atomics: random schedules, as many as a campaign asks for.
pub(crate) fn shuttle(root: &Path) -> Vec<Command> {
    let mut test = schedules(root, "shuttle", &["--release"]);
    test.env("CORTEXKEY_SCHEDULES", "1000000");
    vec![test]
}

/// Large replay guards, which keep their promises for any mix of timestamps.
pub(crate) fn guard(root: &Path) -> Vec<Command> {
    let of_size = |entries: &str| {
        let mut test = cargo(root);
        test.args(["test", "--release", "--locked", "-p", "cortexkey-core", "--lib"]);
        test.args(["--", "any_mix_of_timestamps"]).env("CORTEXKEY_GUARD_ENTRIES", entries);
        test
    };
    ["1000000", "10000000"].map(of_size).into()
}

fn schedules(root: &Path, checker: &str, args: &[&str]) -> Command {
    let mut test = cargo(root);
    test.args(["test", "--locked", "-p", "cortexkey-core", "--test", "replay_schedules"]);
    test.args(args);
    test.env("RUSTFLAGS", format!("--cfg {checker}"));
    test.env("CARGO_TARGET_DIR", target_dir(root).join(checker));
    test
}

/// Signing and verifying as firmware links them reach no panic, no allocator and no standard
/// library, and stay within the stack limit. Built for speed, and for size with SHA-256 in portable
/// code.
pub(crate) fn probe(root: &Path) -> Result<(), String> {
    for (name, opt_level, flags) in
        [("probe", "3", ""), ("probe-small", "s", "--cfg sha2_backend=\"soft\"")]
    {
        let library = build_probe(root, name, opt_level, flags)?;
        let folder = library.with_file_name("");
        let object = folder.join("reached.o");
        let mut link = Command::new("ld");
        link.args(["-r", "--gc-sections", "-u", "probe_sign", "-u", "probe_verify", "-o"]);
        check(link.arg(&object).arg(&library))?;
        only_memory_functions(&check(Command::new("nm").arg("-u").arg(&object))?)?;
        let program = compile(root, "stack.c", &library, &["-Wl,--gc-sections"])?;
        check(Command::new(program).arg(STACK_BYTES_MAX))?;
    }
    Ok(())
}

/// No branch and no address depends on a key, as far as valgrind detects it, and it detects planted
/// leaks.
pub(crate) fn constant_time(root: &Path) -> Result<(), String> {
    let library = build_probe(root, "ctgrind", "3", "--cfg ctgrind")?;
    let program =
        compile(root, "constant_time.c", &library, &["-lpthread", "-ldl", "-lm", "-lgcc_s"])?;
    let valgrind = |case: &str| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["-q", &format!("--error-exitcode={COMPLAINT}")]).arg(&program).arg(case);
        valgrind
    };
    check(&mut valgrind("cases"))?;
    for planted in PLANTED_LEAKS {
        let status = valgrind(planted).output().map_err(|error| error.to_string())?.status;
        if status.code() != Some(COMPLAINT) {
            return Err(format!("valgrind does not detect the planted leak `{planted}`: {status}"));
        }
    }
    Ok(())
}

/// The core without its kernels.
pub(crate) fn without_kernels(root: &Path) -> Vec<Command> {
    let mut alone = cargo(root);
    alone.args(["test", "--locked", "-p", "cortexkey-core", "--lib"]);
    for test in ["batch", "properties", "uniformity", "vectors"] {
        alone.args(["--test", test]);
    }
    vec![alone]
}

/// The core with kernels on a simulated processor without their instructions and without
/// instructions for SHA-256.
pub(crate) fn portable(root: &Path) -> Vec<Command> {
    let mut hidden = cargo(root);
    hidden.args(["test", "--locked", "-p", "cortexkey-kernels", "-p", "cortexkey-core"]);
    hidden.args(["--features", "cortexkey-core/kernels", "--lib"]);
    for test in ["batch", "fork", "secrets", "uniformity", "vectors"] {
        hidden.args(["--test", test]);
    }
    hidden.env("RUSTFLAGS", "--cfg cortexkey_portable --cfg sha2_backend=\"soft\"");
    hidden.env("CARGO_TARGET_DIR", target_dir(root).join("portable"));
    vec![hidden]
}

/// A hundred million characters from each way to draw a nonce.
pub(crate) fn uniformity(root: &Path) -> Vec<Command> {
    let kinds = [("uniformity", ""), ("uniformity-portable", "--cfg cortexkey_portable")];
    let kernels = kinds.map(|(folder, flags)| {
        let mut test = cargo(root);
        test.args([
            "test",
            "--release",
            "--locked",
            "-p",
            "cortexkey-core",
            "--test",
            "uniformity",
        ]);
        test.args(["--features", "kernels"]).env("RUSTFLAGS", flags);
        test.env("CARGO_TARGET_DIR", target_dir(root).join(folder));
        test
    });
    let mut alone = cargo(root);
    alone.args(["test", "--release", "--locked", "-p", "cortexkey-core", "--test", "uniformity"]);
    let mut all: Vec<_> = kernels.into_iter().chain([alone]).collect();
    for test in &mut all {
        test.env("CORTEXKEY_CHARACTERS", "100000000");
    }
    all
}

/// The kernels built with the address sanitizer, which detects every byte that they read or write
/// out of bounds; and the code for processors without them, under valgrind.
pub(crate) fn sanitizer(root: &Path) -> Vec<Command> {
    let mut test = Command::new("rustup");
    test.args(["run", "nightly", "cargo", "test", "--locked", "-p", "cortexkey-kernels"]);
    test.args(["-p", "cortexkey-core", "--features", "cortexkey-core/kernels"]);
    test.args(["--target", "x86_64-unknown-linux-gnu", "--lib", "--test", "batch"]);
    test.args(["--test", "vectors", "--test", "fork"]).current_dir(root);
    test.env("RUSTFLAGS", "-Zsanitizer=address").env("ASAN_OPTIONS", "detect_leaks=1");
    test.env("CARGO_TARGET_DIR", target_dir(root).join("sanitizer"));
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        test.env_remove(name);
    }
    let mut portable = cargo(root);
    portable.args(["test", "--locked", "-p", "cortexkey-kernels", "-p", "cortexkey-core", "--lib"]);
    portable.args(["--features", "cortexkey-core/kernels", "--test", "batch"]);
    // valgrind's processor differs from the one that the system reports.
    portable.args(["--", "--skip", "it_agrees_with_the_kernel"]);
    portable.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "valgrind -q --error-exitcode=99");
    portable.env("PROPTEST_CASES", "4").env("CARGO_TARGET_DIR", target_dir(root).join("valgrind"));
    vec![test, portable]
}

/// The core for a processor without an operating system.
pub(crate) fn thumb(root: &Path) -> Vec<Command> {
    const TARGET: &str = "thumbv7em-none-eabi";
    let mut install = Command::new("rustup");
    install.args(["target", "add", TARGET]);
    let mut build = probe_cargo(root, "probe-thumb");
    build.args(["--target", TARGET]);
    vec![install, build]
}

/// Other processors, by Debian's emulator and cross compilers.
pub(crate) fn foreign(root: &Path) -> Vec<Command> {
    let mut debian = Command::new("apt-get");
    debian.args([
        "install",
        "-qy",
        "--no-install-recommends",
        "qemu-user",
        "libc6-dev-arm64-cross",
    ]);
    debian.args(["gcc-aarch64-linux-gnu", "gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"]);
    let mut install = Command::new("rustup");
    install.args(["target", "add", "aarch64-unknown-linux-gnu", "s390x-unknown-linux-gnu"]);
    let on = |processor: &str| {
        let gnu = format!("{processor}-linux-gnu");
        let target = format!("{processor}-unknown-linux-gnu");
        let variable = format!("CARGO_TARGET_{}", target.replace('-', "_").to_uppercase());
        let mut test = cargo(root);
        test.args(["test", "--release", "--locked", "--no-fail-fast", "--target", &target]);
        test.args(["-p", "cortexkey-core", "-p", "cortexkey-kernels", "-p", "cortexkey-manifest"]);
        test.args(["--features", "cortexkey-core/kernels"]);
        test.env(format!("{variable}_LINKER"), format!("{gnu}-gcc"));
        test.env(format!("{variable}_RUNNER"), format!("qemu-{processor} -L /usr/{gnu}"));
        // An emulated build need not be fast.
        test.env("CARGO_PROFILE_RELEASE_LTO", "off");
        test.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        test.env("CARGO_TARGET_DIR", target_dir(root).join("foreign"));
        test
    };
    vec![debian, install, on("aarch64"), on("s390x")]
}

fn build_probe(root: &Path, name: &str, opt_level: &str, flags: &str) -> Result<PathBuf, String> {
    let mut build = probe_cargo(root, name);
    build.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", opt_level).env("RUSTFLAGS", flags);
    check(&mut build)?;
    Ok(target_dir(root).join(name).join("release/libcortexkey_probe.a"))
}

fn probe_cargo(root: &Path, name: &str) -> Command {
    let mut build = cargo(&root.join("crates/core/probe"));
    build.args(["build", "--quiet", "--release", "--locked"]);
    build.env("CARGO_TARGET_DIR", target_dir(root).join(name));
    build
}

/// A C program over the probe's library, beside it.
fn compile(root: &Path, source: &str, library: &Path, flags: &[&str]) -> Result<PathBuf, String> {
    let program = library.with_file_name(source.trim_end_matches(".c"));
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program);
    cc.arg(root.join("crates/core/probe").join(source)).arg(library).args(flags);
    check(&mut cc).map(|_| program)
}

/// Every name that `nm` prints as undefined must be one of the memory functions.
fn only_memory_functions(undefined: &str) -> Result<(), String> {
    let symbols = undefined.lines().filter_map(|line| line.split_whitespace().last());
    let others: Vec<_> = symbols.filter(|symbol| !MEMORY_FUNCTIONS.contains(symbol)).collect();
    if others.is_empty() {
        Ok(())
    } else {
        Err(format!("signing or verifying reaches {}", others.join(", ")))
    }
}
