//! The project's own tools: `cargo xtask help` lists them.
//!
//! No logic of the product is here, and no command changes a file that a person wrote, except
//! `new-rule`, which registers what it generates.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the terminal")]
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "text of a few pages, built once"
)]
#![allow(clippy::disallowed_methods, reason = "tools of the project get the environment unchanged")]

mod bindings;
mod campaign;
mod capi;
mod compare;
mod console;
mod coverage;
mod cycles;
mod examples;
mod fuzz;
mod guide;
mod header;
mod instructions;
mod linter;
mod new_rule;
mod picture;
mod proofs;
mod prose;
mod public_api;
mod release;
mod run;
mod rust_tests;
mod sentences;
mod setup;
mod site;
mod supply;
mod svg;
mod target;
mod test;
mod text_file;
mod tidy;
mod tools;
mod tuples;
mod vectors;
mod verdicts;
mod words;
mod workflows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  check            format, lints and unit tests: what to run between edits
  test [STEP]      install what is missing, then run every check, or the named ones
  header           write the C header from the Rust sources (--check: report whether it is stale)
  verdicts         write the files generated from the table of verdicts (--check: as above)
  vectors          write vectors/auth.tsv from auth.json (--check: as above)
  dist             build and pack the C library, under target/dist
  dist --target T  build all files of a release for a target: release build T
  install [ARG…]   the same, and install it: --prefix=DIR --libdir=DIR --destdir=DIR
  go-bundle [FILE…] pack the Go module with this machine's library, or with packed ones
  abi [--renew]    compare the C header with its stored description, or renew that
  go-tools         run Go's tests under Go's own tools, over the installed library
  speed-abi        compare calls from C and Go with the vendor's Go SDK, and threads, as tables
  picture          draw the README's picture of quickstart
  console-tests [--all] run the console's browser tests; --all in all four looks, with the figures and 10,000 strings
  console-pictures take the pictures of the console in docs/images
  new-rule FAMILY NAME write the skeleton of a linter's rule and register it
  rules            write the pages of the linter's rules and the schemas
  hooks            run pre-commit with each of its hooks
  pkg-config       install the C library under target and print the folder for PKG_CONFIG_PATH
  tidy             check what no other tool does: module comments, links, invariants, module cycles
  prose            check spelling and grammar
  setup [cross]    install what the checks need, and say what could not be had; or the compilers
                   of a release for other machines
  public-api [--renew] compare the interfaces of core and client with their records, or write these
  coverage         run the tests, and print which share of each crate's lines they reach
  docs             build the documentation site into target/site, and check it
  instructions [--record] count the instructions of the hot paths and compare with the last record
  examples         build and run everything under examples
  bindings         build and test the packages for Python, Node and PowerShell
  workflows        check the workflows, the action and the forms under .github
  supply [--advisories] check licences and sources of the dependencies, and known vulnerabilities
  release STEP     build [TARGET…], rehearse [TARGET…], go-bundle, recipes, pin, verify TAG, crates, wheels, github TAG: what the release workflow runs
  compare [FLAG]   compare with peers: --check that no ratio fell, --json, --markdown
  fuzz [--seconds N] [TARGET…] run the fuzz targets, or the named ones, for N seconds each;
                   --briefly is what CI runs for a pull request
  campaign [NAME]  run one of the long proofs; without a name, list them";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = root();
    let outcome = match args.as_slice() {
        ["check"] => return test::check_quickly(&root),
        ["test", names @ ..] => return test::run(&root, names),
        ["header"] => header::run(&root, false),
        ["header", "--check"] => header::run(&root, true),
        ["dist"] => capi::dist::run(&root),
        ["dist", "--target", target] => release::run(&root, &["build", target]),
        ["install", arguments @ ..] => capi::dist::install(&root, arguments),
        ["go-bundle", packed @ ..] => capi::bundle::run(&root, packed)
            .map(|folder| println!("{}\n{}.tar.gz", folder.display(), folder.display())),
        ["abi"] => capi::abi::run(&root, false),
        ["abi", "--renew"] => capi::abi::run(&root, true),
        ["go-tools"] => capi::installed::install(&root)
            .and_then(|installed| capi::ends::go_tools(&root, &installed)),
        ["speed-abi"] => capi::installed::install(&root)
            .and_then(|installed| capi::speed::run(&root, &installed)),
        ["pkg-config"] => capi::installed::install(&root)
            .map(|installed| println!("{}", installed.pkgconfig.display())),
        ["verdicts"] => verdicts::run(&root, false),
        ["verdicts", "--check"] => verdicts::run(&root, true),
        ["vectors"] => vectors::run(&root, false),
        ["vectors", "--check"] => vectors::run(&root, true),
        ["picture"] => picture::run(&root, false),
        ["console-tests"] => console::tests(&root, false).map(|passed| println!("{passed} passed")),
        ["console-tests", "--all"] => {
            console::tests(&root, true).map(|passed| println!("{passed} passed"))
        }
        ["console-pictures"] => console::pictures(&root),
        ["new-rule", family, name] => new_rule::run(&root, family, name),
        ["rules"] => write_rules(&root),
        ["hooks"] => linter::hooks(&root, &["cortexkey", "cortexkey-system", "cortexkey-cargo"]),
        ["tidy"] => tidy::run(&root),
        ["prose"] => prose::run(&root),
        ["setup"] => {
            setup::components();
            setup::packages(&root);
            Ok(())
        }
        ["setup", "cross"] => setup::cross(),
        ["docs"] => site::run(&root),
        ["instructions"] => instructions::run(&root),
        ["instructions", "--record"] => instructions::record(&root),
        ["examples"] => examples::run(&root).map(drop),
        ["examples", "terraform"] => examples::terraform(&root),
        ["public-api"] => public_api::run(&root, false),
        ["public-api", "--renew"] => public_api::run(&root, true),
        ["bindings"] => bindings::run(&root).map(|passed| println!("{passed} passed")),
        ["coverage"] => coverage::run(&root),
        ["workflows"] => workflows::run(&root),
        ["release", arguments @ ..] => release::run(&root, arguments),
        ["supply"] => supply::run(&root, false),
        ["supply", "--advisories"] => supply::run(&root, true),
        ["fuzz", "--briefly"] => fuzz::briefly(&root),
        ["fuzz", arguments @ ..] => fuzz::run_with(&root, arguments),
        ["compare", flags @ ..] => compare::run(&root, flags),
        ["campaign"] => campaign::list(),
        ["campaign", name] => campaign::run(&root, name),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("there is no such command\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The linter's own test generates the pages, and writes them if a variable is set.
fn write_rules(root: &Path) -> Result<(), String> {
    let mut test = run::cargo(root);
    test.args(["test", "--quiet", "--locked", "-p", "cortexkey-lint", "--test", "generated"]);
    run::check(test.env("CORTEXKEY_WRITE_PAGES", "1")).map(drop)
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
