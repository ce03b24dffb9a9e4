//! Tests the C library as a user has it: unpacked from the archive, installed by its own script,
//! found by pkg-config and `CMake`, linked by compilers without Rust.
//!
//! Nothing here includes or links a file of the build tree, except the tests themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{abi, dist};
use crate::run::{check, has, target_dir};

const WARNINGS: [&str; 8] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wundef",
    "-Wstrict-prototypes",
    "-Wc++-compat",
    "-Werror",
];

/// The size that `no_memory.c` needs.
const WRAP_ALLOCATIONS: &str =
    "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=posix_memalign";

/// An installed library, and the folder where its tests are built.
pub(crate) struct Installed {
    pub(crate) prefix: PathBuf,
    pub(crate) pkgconfig: PathBuf,
    /// The archive that it came from.
    pub(super) packed: PathBuf,
    pub(super) work: PathBuf,
    pub(super) tests: PathBuf,
    vectors: PathBuf,
}

/// Installs the library in the build folder, as a packager would.
pub(crate) fn install(root: &Path) -> Result<Installed, String> {
    let folder = dist::dist(root)?;
    let work = target_dir(root).join("dist/check");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).map_err(|e| format!("{}: {e}", work.display()))?;
    let archive = format!("{}.tar.gz", folder.display());
    check(Command::new("tar").args(["-xf", archive.as_str(), "-C"]).arg(&work))?;
    let unpacked = work.join(folder.file_name().unwrap_or_default());
    let prefix = work.join("prefix");
    let lib = prefix.join("lib/x86_64-linux-gnu");
    let mut script = Command::new("sh");
    script.arg(unpacked.join("install.sh")).arg(format!("--prefix={}", prefix.display()));
    check(script.arg(format!("--libdir={}", lib.display())))?;
    Ok(Installed {
        packed: archive.into(),
        pkgconfig: lib.join("pkgconfig"),
        prefix,
        work,
        tests: root.join("crates/capi/tests/c"),
        vectors: root.join("vectors"),
    })
}

impl Installed {
    /// The folder that it was installed from.
    pub(super) fn unpacked(&self) -> Result<PathBuf, String> {
        let name = self.packed.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.strip_suffix(".tar.gz").ok_or("the package has another name")?;
        Ok(self.work.join(name))
    }

    /// The folder of the libraries.
    pub(crate) fn lib(&self) -> &Path {
        self.pkgconfig.parent().unwrap_or(&self.prefix)
    }

    fn sources(&self, misuse: &Path) -> [PathBuf; 4] {
        let test = |name: &str| self.tests.join(name);
        [test("vectors.c"), test("behaviour.c"), test("threads.c"), misuse.to_owned()]
    }

    /// Every test with every compiler, over both libraries, and once more under valgrind.
    pub(super) fn plain_and_watched(&self, misuse: &Path) -> Result<u64, String> {
        Ok(self.plain(misuse)? + self.valgrind(misuse)?)
    }

    /// Every test under the sanitizers, and the other ways to link the library.
    pub(super) fn sanitized_and_linked(&self, root: &Path, misuse: &Path) -> Result<u64, String> {
        let done = self.sanitized(misuse)?;
        self.cmake()?;
        self.beside_another_rust_library()?;
        abi::check_installed(root, &self.prefix)?;
        Ok(done + 3)
    }

    fn plain(&self, misuse: &Path) -> Result<u64, String> {
        let mut done = 0;
        for package in ["cortexkey", "cortexkey-static"] {
            for compiler in ["gcc", "clang"] {
                for source in self.sources(misuse) {
                    let program = self.test(compiler, &source, package, &[])?;
                    needs_no_libgcc(&program)?;
                    done += 1;
                }
            }
            for compiler in ["g++", "clang++"] {
                let source = self.tests.join("cpp.cpp");
                self.test(compiler, &source, package, &["-fno-exceptions"])?;
                done += 1;
            }
        }
        let no_memory = self.tests.join("no_memory.c");
        self.test("gcc", &no_memory, "cortexkey-static", &[WRAP_ALLOCATIONS])?;
        Ok(done + 1)
    }

    /// The flags of pkg-config, split into words.
    pub(crate) fn flags(&self, package: &str) -> Result<Vec<String>, String> {
        let mut pkgconfig = Command::new("pkg-config");
        pkgconfig.args(["--cflags", "--libs", package]);
        let said = check(pkgconfig.env("PKG_CONFIG_PATH", &self.pkgconfig))?;
        let mut flags: Vec<String> = said.split_whitespace().map(str::to_owned).collect();
        if package == "cortexkey" {
            flags.push(format!("-Wl,-rpath,{}", self.lib().display()));
        }
        Ok(flags)
    }

    pub(super) fn compile(
        &self,
        compiler: &str,
        source: &Path,
        package: &str,
        more: &[&str],
    ) -> Result<PathBuf, String> {
        let program = self.program(compiler, source, package, more);
        let mut command = Command::new(compiler);
        let is_c = source.extension().is_some_and(|extension| extension == "c");
        if is_c {
            command.arg("-std=c99").args(WARNINGS);
            // POSIX threads are not part of C99.
            command.arg("-D_GNU_SOURCE");
        } else {
            command.args([
                "-std=c++17",
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Wconversion",
                "-Werror",
            ]);
        }
        command.args(["-g", "-O1", "-I"]).arg(&self.tests).args(more).arg(source);
        command.args(self.flags(package)?).arg("-pthread").arg("-o").arg(&program);
        check(&mut command)?;
        Ok(program)
    }

    /// Where [`compile`](Self::compile) puts a program.
    fn program(&self, compiler: &str, source: &Path, package: &str, more: &[&str]) -> PathBuf {
        let name = source.file_stem().unwrap_or_default().to_string_lossy();
        self.work.join(format!("{name}-{compiler}-{package}{}", more.concat()))
    }

    /// Compiles and runs a program with the known answers as its input.
    fn test(
        &self,
        compiler: &str,
        source: &Path,
        package: &str,
        more: &[&str],
    ) -> Result<PathBuf, String> {
        let program = self.compile(compiler, source, package, more)?;
        self.run(Command::new(&program))?;
        Ok(program)
    }

    pub(super) fn run(&self, mut command: Command) -> Result<(), String> {
        let vectors = self.vectors.join("auth.tsv");
        let input = fs::File::open(&vectors).map_err(|e| format!("{}: {e}", vectors.display()))?;
        command.arg(self.vectors.join("definitions")).stdin(Stdio::from(input));
        let ran = command.output().map_err(|e| format!("{command:?}: {e}"))?;
        if ran.status.success() {
            return Ok(());
        }
        let text = [ran.stdout, ran.stderr].concat();
        Err(format!("{command:?}: {}\n{}", ran.status, String::from_utf8_lossy(&text)))
    }

    /// Under the address, leak and undefined-behaviour sanitizers, which are shown to be active.
    fn sanitized(&self, misuse: &Path) -> Result<u64, String> {
        const ON: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
        for source in self.sources(misuse) {
            let program = self.test("gcc", &source, "cortexkey-static", &ON)?;
            let symbols = check(Command::new("nm").arg("-D").arg(&program))?;
            for mark in ["__asan_init", "__ubsan_handle_"] {
                if !symbols.contains(mark) {
                    return Err(format!(
                        "{} has no {mark}: the sanitizer is not active",
                        program.display()
                    ));
                }
            }
        }
        let leak = self.compile("gcc", &self.leak("leak-sanitized.c")?, "cortexkey-static", &ON)?;
        if self.run(Command::new(leak)).is_ok() {
            return Err("AddressSanitizer does not detect a leaked handle".into());
        }
        Ok(self.sources(misuse).len() as u64 + 1)
    }

    /// A program with a leak, which every leak checker must detect.
    fn leak(&self, name: &str) -> Result<PathBuf, String> {
        let source = self.work.join(name);
        let text = "#include <cortexkey.h>\nint main(void) { cxk_keyring *k = NULL; \
                    return cxk_keyring_new(&k) != CXK_OK; }\n";
        fs::write(&source, text).map_err(|e| format!("{}: {e}", source.display()))?;
        Ok(source)
    }

    /// The programs that [`plain`](Self::plain) built, run again.
    fn valgrind(&self, misuse: &Path) -> Result<u64, String> {
        let programs =
            [self.tests.join("vectors.c"), self.tests.join("behaviour.c"), misuse.to_owned()];
        let valgrind = |program: PathBuf| {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--quiet", "--leak-check=full", "--show-leak-kinds=all"]);
            let known = self.tests.join("valgrind.supp");
            valgrind.arg(format!("--suppressions={}", known.display()));
            valgrind.args(["--errors-for-leak-kinds=all", "--error-exitcode=9"]).arg(program);
            self.run(valgrind)
        };
        for source in &programs {
            valgrind(self.program("gcc", source, "cortexkey-static", &[]))?;
        }
        if valgrind(self.compile("gcc", &self.leak("leak.c")?, "cortexkey-static", &[])?).is_ok() {
            return Err("valgrind does not detect a leaked handle".into());
        }
        Ok(programs.len() as u64)
    }

    /// A project that finds the package, and links each target.
    fn cmake(&self) -> Result<(), String> {
        let source = self.work.join("cmake");
        let made = |e: std::io::Error| format!("{}: {e}", source.display());
        fs::create_dir_all(&source).map_err(made)?;
        let project = format!(
            "cmake_minimum_required(VERSION 3.13)\nproject(user C CXX)\n\
             find_package(cortexkey {}.{} REQUIRED)\nset(CMAKE_CXX_STANDARD 17)\n\
             foreach(kind cortexkey shared static)\n  \
             add_executable(user-${{kind}} {})\n  \
             target_link_libraries(user-${{kind}} cortexkey::${{kind}})\nendforeach()\n",
            env!("CARGO_PKG_VERSION_MAJOR"),
            env!("CARGO_PKG_VERSION_MINOR"),
            self.tests.join("cpp.cpp").display()
        );
        fs::write(source.join("CMakeLists.txt"), project).map_err(made)?;
        let build = source.join("build");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(&source).arg("-B").arg(&build);
        check(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", self.prefix.display())))?;
        check(Command::new("cmake").arg("--build").arg(&build))?;
        for kind in ["cortexkey", "shared", "static"] {
            self.run(Command::new(build.join(format!("user-{kind}"))))?;
        }
        Ok(())
    }

    /// One program with our archive and that of another Rust library, in either order.
    fn beside_another_rust_library(&self) -> Result<(), String> {
        let made = |e: std::io::Error| format!("{}: {e}", self.work.display());
        let other = self.work.join("other.rs");
        let text = "#[unsafe(no_mangle)] pub extern \"C\" fn other(n: u32) -> usize { \
                    std::panic::catch_unwind(|| format!(\"{n}\").len()).unwrap_or(0) }\n";
        fs::write(&other, text).map_err(made)?;
        let archive = self.work.join("libother.a");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition=2024", "--crate-type=staticlib", "-O", "-Clto=fat", "-o"]);
        check(rustc.arg(&archive).arg(&other))?;
        let source = self.work.join("two.c");
        let text = "#include <cortexkey.h>\nsize_t other(uint32_t n);\nint main(void) { char n[65]; \
                    return cxk_nonce(n, sizeof n) != CXK_OK || other(12345) != 5; }\n";
        fs::write(&source, text).map_err(made)?;
        let ours = self.flags("cortexkey-static")?;
        let others = [archive.to_string_lossy().into_owned()];
        let system = ["-lm", "-lgcc_s", "-lc"];
        for (name, first, second) in
            [("ours-first", &ours[..], &others[..]), ("ours-last", &others, &ours)]
        {
            let program = self.work.join(name);
            let mut link = Command::new("gcc");
            link.arg(&source).args(first).args(second).args(system);
            check(link.arg("-o").arg(&program))?;
            self.run(Command::new(program))?;
        }
        Ok(())
    }
}

/// Programs run where `libgcc_s.so.1` is missing, whichever library they link.
fn needs_no_libgcc(program: &Path) -> Result<(), String> {
    let dynamic = check(Command::new("readelf").arg("-d").arg(program))?;
    if dynamic.contains("libgcc_s") {
        return Err(format!("{} needs libgcc_s", program.display()));
    }
    Ok(())
}

/// The requirements of all tests; none is skipped silently.
pub(crate) fn missing() -> Vec<&'static str> {
    [
        "gcc",
        "g++",
        "clang",
        "clang++",
        "pkg-config",
        "cmake",
        "valgrind",
        "abidw",
        "readelf",
        "musl-gcc",
    ]
    .into_iter()
    .filter(|program| !has(program))
    .collect()
}
