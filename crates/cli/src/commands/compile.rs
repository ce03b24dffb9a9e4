//! `cortexkey compile`: compiles definitions into the form that the C library loads.
//!
//! A definition or policy with mistakes is an error. The output file is written completely or not
//! at all.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use cortexkey_core::access::compiled::Compiler;
use cortexkey_lint::{CorpusFile, KeyDocument};
use cortexkey_manifest::access::KeyAccess;
use cortexkey_manifest::compile::{CompileRefusal, add};
use cortexkey_manifest::lock::{self, Lock};
use cortexkey_manifest::quote;
use cortexkey_manifest::yaml::{YamlLimits, parse_bytes};
use cortexkey_system::{chain, io_reason};

use crate::commands::access::{PolicyInForce, broken, read, sound};
use crate::exit::{Exit, Failure};
use crate::{output_file, text};

/// Compile key definitions into the form that the C library and Go load
///
/// The compiled file contains the definitions and what the policy adds, so that a program that
/// decides what a key may do needs neither YAML nor the policy. Key ids come from `cortexkey.lock`
/// next to the policy, if it exists.
///
/// Invalid definitions are not compiled. Run `cortexkey lint` first to check them against the
/// policy. Equal definitions give equal bytes. The file contains no secret and is not signed:
/// protect it like the definitions.
#[derive(clap::Args)]
#[command(after_help = r"Examples:
  cortexkey compile -o keys.ckc
  cortexkey compile keys/ -o keys.ckc
  cortexkey lint && cortexkey compile -o - > keys.ckc

Exit codes: 0 success; 2 usage error, or an invalid definition or policy; 3 nothing could be read.")]
pub(crate) struct Args {
    /// Files and folders with key definitions [default: the policy's corpus]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The output file; `-` is standard output, which must not be a terminal
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// The policy's file or `builtin:…` [default: the nearest cortexkey.yaml in this folder or
    /// above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let to_stdout = args.output == Path::new("-");
    if to_stdout && std::io::stdout().is_terminal() {
        return Err(Failure::usage_error(
            "compiled definitions are binary and not written to a terminal",
        )
        .help("name a file (-o keys.ckc), or redirect standard output to one"));
    }
    let found = PolicyInForce::with_paths(args.policy.as_deref(), &args.paths)?;
    let lock = locked(&found)?;
    let mut compiler = Compiler::new();
    for file in found.corpus.files.iter().filter(|file| file.reported) {
        sound(file)?;
        for document in &file.documents {
            compile(&mut compiler, &found, lock.as_ref(), file, document)?;
        }
    }
    if compiler.is_empty() {
        return Err(Failure::new(Exit::NoInput, "there is no key definition to compile")
            .help("`cortexkey lint` lists the files that are read"));
    }
    let bytes = compiler.finish();
    if to_stdout {
        text::print_bytes(&bytes)?;
    } else {
        output_file::write(&args.output, &bytes).map_err(|error| {
            let shown = quote(&args.output.to_string_lossy());
            Failure::new(Exit::Findings, format!("cannot write {shown}: {}", io_reason(&error)))
        })?;
    }
    let shown =
        if to_stdout { "standard output".into() } else { quote(&args.output.to_string_lossy()) };
    let count = match compiler.len() {
        1 => "1 key".to_owned(),
        count => format!("{count} keys"),
    };
    let summary = format!("{count}, {} bytes, to {shown}\n", bytes.len());
    text::eprint(&summary);
    Ok(Exit::Done)
}

fn compile(
    compiler: &mut Compiler,
    found: &PolicyInForce,
    lock: Option<&Lock>,
    file: &CorpusFile,
    document: &KeyDocument,
) -> Result<(), Failure> {
    let refuse = |span, message: &str| broken(&file.path, &file.tree, span, message);
    if let Some(problem) = document.problems.first() {
        return Err(refuse(problem.span, &problem.message));
    }
    let Some(definition) = &document.definition else {
        return Err(refuse(document.span, "this is not a key definition"));
    };
    let policy = found.policy_of(file);
    let tenant = definition.tenant().or_else(|| policy.only_tenant());
    let locked = lock.and_then(|lock| lock.key(tenant?, definition.name()?));
    let tenant = tenant.map(|name| (name, policy.tenant(name)));
    KeyAccess::from_definition(definition, &found.catalog_of(file), tenant)
        .map_err(CompileRefusal::Incomplete)
        .and_then(|access| add(compiler, definition, &access, locked))
        .map_err(|refusal| match refusal {
            CompileRefusal::Incomplete(field) => refuse(field.span, &field.message),
            CompileRefusal::Compile(error) => refuse(definition.place, &error.to_string()),
        })
}

/// The lock file next to the policy, if it exists.
fn locked(found: &PolicyInForce) -> Result<Option<Lock>, Failure> {
    let path = Path::new(found.path()).parent().unwrap_or(Path::new("")).join(lock::FILE_NAME);
    if found.is_default() || !path.exists() {
        return Ok(None);
    }
    let shown = path.to_string_lossy();
    let mistake = |message: &str| {
        Failure::usage_error(format!("the lock file has a mistake: {shown}: {message}"))
            .help("restore the last committed version, and run `cortexkey plan`")
    };
    let parsed =
        parse_bytes(read(&path).map_err(|error| mistake(&chain(&error)))?, &YamlLimits::default());
    if let Some(problem) = parsed.problems.first() {
        return Err(mistake(&problem.message));
    }
    let Some(document) = parsed.first() else { return Ok(None) };
    let lowered = lock::read(&parsed.tree, document);
    match lowered.problems.first() {
        Some(problem) => Err(mistake(&problem.message)),
        None => Ok(lowered.lock),
    }
}
