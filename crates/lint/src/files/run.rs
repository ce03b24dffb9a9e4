//! One run: finds and reads the files once, checks the files of each policy, and joins the reports.
//!
//! For each policy, rules that compare files see all files, and report only on the files of that
//! policy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cortexkey_manifest::policy::is_builtin;
use cortexkey_system::counted;

use super::boundary::{self, Boundary};
use super::listing::Listing;
use super::names::has_policy_name;
use super::paths::{absolute, relative, shown, slashed};
use super::patterns;
use super::policy_set::{LoadedPolicy, PRIMARY, PolicySet};
use super::search::{self, Search, SearchResult};
use super::to_read::{FileToRead, Role};
use super::{
    DEFAULT_POLICY, FixMode, KnownFindings, Options, POLICY_NAMES, RunError, RunOutcome, Stdin,
    baseline_path, companions, fix, known, load_policy, read,
};
use crate::engine::Baseline;
use crate::engine::{FileLinter, FileResult, LintOptions, assemble, lint_all};
use crate::model::{Corpus, CorpusFile, EarlierCorpus, LockedKeys, Report, WaivedBy};
use crate::policy::Policy;
use crate::rules::policy::p006_unknown_rule;

/// Finds, reads, checks and fixes.
pub(super) fn run(
    options: &Options,
    stdin: Stdin,
    messages: &mut Vec<String>,
) -> Result<RunOutcome, RunError> {
    let starts = starts(options);
    let fixed = options.policy.as_deref().map(|policy| named(options, policy)).transpose()?;
    let boundary = boundary(options, &starts, fixed.as_ref())?;
    let mut policy_set = PolicySet::new(options, &boundary);
    let (listing, scopes) = match fixed {
        Some(loaded) => by_one(options, &boundary, &mut policy_set, loaded)?,
        None => by_nearest(options, &boundary, &mut policy_set, &starts, messages)?,
    };
    let search = Search::new(options, &boundary, &mut policy_set, listing);
    let mut found = search.run(&scopes, stdin)?;
    if options.paths.is_empty() {
        found.policies.extend(0..policy_set.loaded.len());
    } else if found.policies.is_empty() {
        found.policies.insert(PRIMARY);
    }
    governing(options, &policy_set, &found, messages)?;
    messages.append(&mut found.messages);
    let excluded = exclude(options, &mut found, messages)?;
    let SearchResult { mut wanted, skipped, unread, policies, is_partial, .. } = found;
    let all = wanted.len();
    wanted.retain(|wanted| policy_set.loaded[wanted.by].policy.is_usable());
    let is_unseen = wanted.len() < all;
    let selection = (!options.selection.is_all()).then_some(&options.selection);
    options.selection.check(policy_set.loaded.iter().map(|loaded| &loaded.policy))?;
    let lint_options = LintOptions {
        comments: options.comments,
        selection,
        jobs: options.jobs,
        ..LintOptions::at(options.now)
    };
    let ReadCorpus { mut corpus, parts, without } =
        read_corpus(options, &policy_set, &mut wanted, &lint_options)?;
    ungoverned(&policy_set, &corpus, messages);
    let why = ["contains no key definition", "contain no key definition"];
    messages.extend(not_checked(options, &without, why));
    let why = ["is outside the repository", "are outside the repository"];
    messages.extend(not_checked(options, &unread, why));
    corpus.skipped += skipped;
    corpus.excluded = excluded;
    corpus.partial = is_partial;
    corpus.unseen = is_unseen;
    let belongs = |by: usize, path: &Path| policy_set.takes(by, path);
    let groups = policies.iter().map(|at| Group::of(options, &policy_set, *at, &belongs));
    let groups = groups.collect::<Result<Vec<_>, _>>()?;
    let is_nothing_given = without.is_empty() && unread.is_empty();
    let may_skip = is_nothing_given || !policy_set.takes_what_is_given();
    let loaded = std::mem::take(&mut policy_set.loaded);
    let is_named = loaded.iter().any(|loaded| loaded.patterns.any());
    // What a policy with mistakes takes is not known, and its mistakes are reported.
    let is_read = loaded.iter().all(|loaded| loaded.policy.is_usable());
    let policies = loaded.into_iter().map(|loaded| (loaded.chosen, loaded.policy)).collect();
    let mut run = Run { options, corpus, parts, policies, groups, known: None, may_skip };
    let no_input = run.no_input();
    if no_input && is_read && !run.corpus.files.iter().any(|file| file.reported) {
        let what =
            if is_named { "no file matches the policy's `keys`" } else { "no YAML file found" };
        messages.push(if options.paths.is_empty() {
            format!("{what}: nothing could be read")
        } else {
            "nothing could be read".to_owned()
        });
    }
    let (mut report, diff) = run.check(&lint_options, messages)?;
    root(options, &boundary, &mut report);
    Ok(run.outcome(report, diff, no_input, messages))
}

/// Removes the files that a pattern excludes from the report, and counts them.
fn exclude(
    options: &Options,
    found: &mut SearchResult,
    messages: &mut Vec<String>,
) -> Result<usize, RunError> {
    let mut excluded = 0;
    for pattern in &options.exclude {
        let matches = patterns::exclusion(pattern)?;
        let mut count = 0;
        for wanted in &mut found.wanted {
            let path = shown(&options.folder, &wanted.path);
            if matches.is_match(path) {
                count += 1;
                excluded += usize::from(wanted.reported);
                wanted.reported = false;
            }
        }
        if count == 0 {
            messages.push(format!("--exclude {pattern} matches no file"));
        }
    }
    found.is_partial |= excluded > 0;
    Ok(excluded)
}

/// Reports that definitions have no policy above them, although the repository has policies.
fn ungoverned(policy_set: &PolicySet<'_>, corpus: &Corpus, messages: &mut Vec<String>) {
    let is_without = |file: &&CorpusFile| {
        file.policy != PRIMARY && file.reported && policy_set.takes_definitions_only(file.policy)
    };
    if let Some(first) = corpus.files.iter().find(is_without) {
        messages.push(format!(
            "no {} governs {}: keys without a policy are checked against {DEFAULT_POLICY}",
            POLICY_NAMES[0], first.path
        ));
    }
}

/// How many files a message names.
const NAMED_MAX: usize = 5;

/// Reports by name the given files that were not checked for one reason.
fn not_checked(options: &Options, paths: &[PathBuf], why: [&str; 2]) -> Option<String> {
    let first = paths.iter().take(NAMED_MAX).map(|path| search::name(options, path));
    let names = first.collect::<Vec<_>>().join(", ");
    let [one, several] = why;
    match (paths.len(), paths.len().saturating_sub(NAMED_MAX)) {
        (0, _) => None,
        (1, _) => Some(format!("{names} {one} and was not checked")),
        (_, 0) => Some(format!("{names} {several} and were not checked")),
        (_, more) => Some(format!("{names} and {more} more {several} and were not checked")),
    }
}

/// The files of a run that have been read.
struct ReadCorpus {
    corpus: Corpus,
    /// The findings of each file by itself, unless the run is going to change files.
    parts: Option<Vec<FileResult>>,
    /// The given files that contain no definition.
    without: Vec<PathBuf>,
}

/// Reads the files, and checks each by itself unless the run is going to change files.
fn read_corpus(
    options: &Options,
    policy_set: &PolicySet<'_>,
    wanted: &mut [FileToRead],
    lint_options: &LintOptions<'_>,
) -> Result<ReadCorpus, RunError> {
    let is_fixing = options.fix != FixMode::No;
    let linters: Vec<FileLinter<'_>> = if is_fixing {
        Vec::new()
    } else {
        policy_set
            .loaded
            .iter()
            .map(|loaded| FileLinter::new(&loaded.policy, lint_options))
            .collect()
    };
    let mut corpus = Corpus::default();
    let mut parts = Vec::with_capacity(wanted.len());
    let mut without = Vec::new();
    let given: BTreeSet<PathBuf> = options
        .paths
        .iter()
        .chain(&options.stdin_filename)
        .map(|path| absolute(&options.folder, path))
        .collect();
    for (read, item) in
        read::all(options, &policy_set.loaded, wanted, &linters)?.into_iter().zip(&*wanted)
    {
        if let Some((file, part)) = read {
            corpus.files.push(file);
            parts.push(part);
        } else {
            let is_named = match item.role {
                Role::Corpus => true,
                // Without paths, every other YAML file of the repository would be counted.
                Role::Perhaps => !options.paths.is_empty(),
                Role::Outside => false,
            };
            let counts = is_named && search::is_worth_a_message(options, item);
            corpus.skipped += usize::from(counts);
            without.extend(given.get(&item.path).cloned());
        }
    }
    Ok(ReadCorpus { corpus, parts: (!is_fixing).then_some(parts), without })
}

/// Sets the paths of a report's sources from the root of the repository; or from the root of the CI
/// service's checkout, if that contains the repository.
fn root(options: &Options, boundary: &Boundary, report: &mut Report) {
    let around = options.project.as_deref().and_then(|project| {
        let is_root = !boundary.is_repository || boundary::is_repository(project);
        let project = std::fs::canonicalize(project).ok().filter(|_| is_root)?;
        Some(boundary.real.strip_prefix(project).ok()?.to_path_buf())
    });
    let root =
        if boundary.is_repository || around.is_some() { &boundary.root } else { &options.folder };
    for source in report.sources.all_mut() {
        if source.path.starts_with('<') {
            continue;
        }
        let path = absolute(&options.folder, Path::new(&source.path));
        let Some(path) = relative(root, &path) else { continue };
        let whole = around.as_deref().unwrap_or(Path::new("")).join(path);
        source.rooted(&slashed(&whole));
    }
}

/// The folders from which policies are searched for, upwards.
fn starts(options: &Options) -> Vec<PathBuf> {
    let folder = absolute(&options.folder, Path::new(""));
    let of = |path: &PathBuf| match (path.as_os_str() == "-", &options.stdin_filename) {
        (true, None) => folder.clone(),
        (is_stdin, name) => {
            let path =
                absolute(&options.folder, name.as_ref().filter(|_| is_stdin).unwrap_or(path));
            let is_folder = path.is_dir() && !path.is_symlink();
            if is_folder { path } else { path.parent().unwrap_or(&path).to_path_buf() }
        }
    };
    let starts: Vec<PathBuf> = options.paths.iter().map(of).collect();
    if starts.is_empty() { vec![folder] } else { starts }
}

/// The policy named on the command line.
fn named(options: &Options, policy: &Path) -> Result<LoadedPolicy, RunError> {
    let text = policy.to_string_lossy();
    let chosen = if is_builtin(&text) { text.into_owned() } else { shown(&options.folder, policy) };
    LoadedPolicy::new(options, chosen, PRIMARY, None)
}

/// The boundary of the run. Paths in several repositories are an error.
fn boundary(
    options: &Options,
    starts: &[PathBuf],
    fixed: Option<&LoadedPolicy>,
) -> Result<Boundary, RunError> {
    if let Some(fixed) = fixed.filter(|fixed| fixed.patterns.any()) {
        return Boundary::around(&fixed.home);
    }
    let own = Boundary::around(&absolute(&options.folder, Path::new("")))?;
    if fixed.is_some() {
        return Ok(own);
    }
    let mut main: Option<Boundary> = None;
    for start in starts.iter().filter(|start| !own.holds(start)) {
        if main.as_ref().is_some_and(|main| main.holds(start)) {
            continue;
        }
        let other = Boundary::around(start)?;
        // Without a repository and a policy, there is no corpus to split.
        if !other.is_repository && other.policies(start)?.is_empty() {
            continue;
        }
        if main.is_some() || starts.iter().any(|start| own.holds(start)) {
            return Err(RunError::new(format!(
                "these paths belong to two repositories: {} is in another one",
                shown(&options.folder, start)
            ))
            .help("run once for each"));
        }
        main = Some(other);
    }
    Ok(main.unwrap_or(own))
}

type Scope = (Rc<Listing>, Vec<PathBuf>);

/// Loads one policy for all files.
fn by_one<'a>(
    options: &'a Options,
    boundary: &'a Boundary,
    policy_set: &mut PolicySet<'a>,
    loaded: LoadedPolicy,
) -> Result<Scope, RunError> {
    let is_usable = loaded.policy.is_usable();
    let mut scopes: Vec<PathBuf> = loaded.patterns.bases().map(Path::to_path_buf).collect();
    if let Some(base) = scopes.iter().find(|base| !boundary.holds(base)) {
        return Err(RunError::new(format!(
            "the `keys` of {} start at {}, outside its repository",
            loaded.chosen,
            base.display()
        ))
        .help("extend policies of the same repository"));
    }
    let is_named = loaded.patterns.any();
    if !is_named && options.paths.is_empty() {
        scopes.push(absolute(&options.folder, Path::new("")));
    }
    policy_set.fix(loaded);
    if !is_usable || scopes.is_empty() {
        return Ok((Rc::default(), Vec::new()));
    }
    // The whole repository is searched, because a definition may be in a file that `keys` do not
    // name.
    if is_named && boundary.is_repository {
        scopes.push(policy_set.loaded[PRIMARY].home.clone());
    }
    Ok((Rc::new(Listing::read(boundary)?.with_unsaved(boundary, options)), scopes))
}

/// Loads the nearest policy for each file.
fn by_nearest<'a>(
    options: &'a Options,
    boundary: &'a Boundary,
    policy_set: &mut PolicySet<'a>,
    starts: &[PathBuf],
    messages: &mut Vec<String>,
) -> Result<Scope, RunError> {
    let all = options.paths.is_empty();
    let mut scopes: BTreeSet<PathBuf> = BTreeSet::new();
    for start in starts {
        let above = policy_set.above(start)?;
        scopes.extend(above.last().map(|top| policy_set.loaded[*top].home.clone()));
        if above.is_empty() && boundary.holds(start) && (all || start.is_dir()) {
            scopes.insert(if all { boundary.root.clone() } else { start.clone() });
        }
    }
    // Without a repository and a policy, only the given paths are searched.
    let is_listed = boundary.is_repository || all || !policy_set.loaded.is_empty();
    let listing = if is_listed { Listing::read(boundary)? } else { Listing::default() };
    let listing = listing.with_unsaved(boundary, options);
    let policies = || listing.files.iter().filter(|file| has_policy_name(&file.path));
    for file in policies() {
        if !scopes.iter().any(|scope| file.path.starts_with(scope)) {
            continue;
        }
        if file.sparse.is_some() {
            let path = shown(&options.folder, &file.path);
            return Err(RunError::new(format!("the policy {path} is not in the work tree"))
                .help("add it to the checkout with `git sparse-checkout add`"));
        }
        // Git still lists a file that was just deleted.
        if file.path.symlink_metadata().is_ok() {
            policy_set.above(file.path.parent().unwrap_or(&file.path))?;
        }
    }
    if policy_set.loaded.is_empty() {
        let place = if all { "here or above" } else { "at or above the given paths" };
        if policies().next().is_some() {
            policy_set.default_for_definitions()?;
        } else {
            policy_set.default()?;
            scopes = if all { [absolute(&options.folder, Path::new(""))].into() } else { scopes };
        }
        messages.push(format!(
            "no {} {place}: keys are checked against {DEFAULT_POLICY}",
            POLICY_NAMES[0]
        ));
    } else if has_ungoverned(policy_set, starts.iter().chain(&scopes))? {
        policy_set.default_for_definitions()?;
    }
    // The `keys` of a parent start at its own folder.
    let bases = policy_set.loaded.iter().flat_map(|loaded| loaded.patterns.bases());
    scopes.extend(bases.map(Path::to_path_buf));
    Ok((Rc::new(listing), scopes.into_iter().collect()))
}

/// Whether one of the folders has no policy in or above it.
fn has_ungoverned<'p>(
    policy_set: &mut PolicySet<'_>,
    folders: impl Iterator<Item = &'p PathBuf>,
) -> Result<bool, RunError> {
    for folder in folders {
        if policy_set.above(folder)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reports the policies that are not above the command's folder, and fails on one that may not
/// govern files.
fn governing(
    options: &Options,
    policy_set: &PolicySet<'_>,
    found: &SearchResult,
    messages: &mut Vec<String>,
) -> Result<(), RunError> {
    for at in &found.policies {
        let LoadedPolicy { chosen, home, fault, .. } = &policy_set.loaded[*at];
        let is_file = options.policy.is_none() && !is_builtin(chosen);
        if is_file && !boundary::is_above(&options.folder, &home.join(POLICY_NAMES[0])) {
            let whose = shown(&options.folder, home);
            messages.push(format!("keys in {whose} are checked against {chosen}"));
        }
        let governs = found
            .wanted
            .iter()
            .any(|wanted| wanted.by == *at && wanted.reported && wanted.role == Role::Corpus);
        if let Some(fault) = fault.as_ref().filter(|_| governs) {
            return Err(fault.clone());
        }
    }
    Ok(())
}

/// What the files of one policy are checked with.
struct Group {
    /// The policy's index.
    at: usize,
    before: Option<EarlierCorpus>,
    lock: Option<LockedKeys>,
}

impl Group {
    fn of(
        options: &Options,
        policy_set: &PolicySet<'_>,
        at: usize,
        belongs: &dyn Fn(usize, &Path) -> bool,
    ) -> Result<Self, RunError> {
        let loaded = &policy_set.loaded[at];
        let lock = companions::lock(options, &loaded.home);
        let before = companions::before(options, &loaded.top, &|path| belongs(at, path))?;
        Ok(Self { at, before, lock })
    }
}

/// A run whose files have been read.
struct Run<'a> {
    options: &'a Options,
    corpus: Corpus,
    /// The findings of each file by itself, unless the run changes files.
    parts: Option<Vec<FileResult>>,
    /// The policies by their paths as output shows them.
    policies: Vec<(String, Policy)>,
    groups: Vec<Group>,
    known: Option<KnownFindings>,
    /// Whether files that are skipped count as input.
    may_skip: bool,
}

impl Run<'_> {
    fn no_input(&self) -> bool {
        let is_read = self.corpus.files.iter().any(|file| file.reported && file.readable);
        !(is_read || self.may_skip && self.corpus.skipped > 0)
    }

    /// Fixes and checks, group by group.
    fn check(
        &mut self,
        lint_options: &LintOptions<'_>,
        messages: &mut Vec<String>,
    ) -> Result<(Report, Option<String>), RunError> {
        let options = self.options;
        let baseline = known(options, self.primary(), self.corpus.partial)?;
        let known = LintOptions { baseline: baseline.as_ref(), ..*lint_options };
        let diff = (options.fix != FixMode::No).then(|| self.fix(&known, messages)).transpose()?;
        // A finding that was not looked for is not gone: nothing is written unless every policy
        // could be used.
        let is_checked = !self.no_input()
            && self.groups.iter().all(|group| self.policies[group.at].1.is_usable());
        if options.write_baseline && !is_checked {
            messages.push("the baseline was not written".to_owned());
        } else if options.write_baseline {
            let report = self.write_baseline(lint_options, baseline.as_ref(), messages)?;
            return Ok((report, diff));
        }
        let report = self.report(&known);
        if baseline.is_some() && options.baseline.is_none() {
            let known = report.waived.iter().filter(|one| one.by == WaivedBy::Baseline).count();
            let does =
                if known == 1 { " does not count: it is" } else { "s do not count: they are" };
            let name = shown(&options.folder, &baseline_path(options, self.primary()));
            if known > 0 {
                messages.push(format!("{known} finding{does} in {name}"));
            }
        }
        if let Some(baseline) = baseline.as_ref().filter(|_| !self.corpus.partial) {
            let path = shown(&options.folder, &baseline_path(options, self.primary()));
            let known = KnownFindings { path, findings: baseline.known(&report) };
            let gone = known.gone();
            if gone > 0 {
                let (verb, them) = if gone == 1 { ("is", "it") } else { ("are", "them") };
                messages.push(format!(
                    "{gone} of the baseline's {} {verb} gone; remove {them} with `cortexkey baseline \
                     prune`",
                    counted(baseline.len(), "finding")
                ));
            }
            self.known = Some(known);
        }
        Ok((report, diff))
    }

    fn primary(&self) -> &Policy {
        &self.policies[PRIMARY].1
    }

    fn fix(
        &mut self,
        lint_options: &LintOptions<'_>,
        messages: &mut Vec<String>,
    ) -> Result<String, RunError> {
        let mut diff = String::new();
        for nth in 0..self.groups.len() {
            let asked = self.enter(nth);
            let (chosen, policy) = &mut self.policies[self.groups[nth].at];
            if policy.is_usable() {
                // Another group may have changed a file that this policy depends on.
                *policy = load_policy(self.options, chosen, policy.number, &BTreeMap::new())?;
                diff += &fix::fix(
                    self.options,
                    chosen,
                    &mut self.corpus,
                    policy,
                    lint_options,
                    messages,
                )?;
            }
            self.leave(nth, &asked);
        }
        Ok(diff)
    }

    /// The reports of all groups as one.
    fn report(&mut self, lint_options: &LintOptions<'_>) -> Report {
        let mut parts: Option<Vec<Option<FileResult>>> =
            self.parts.take().map(|parts| parts.into_iter().map(Some).collect());
        let mut reports = Vec::with_capacity(self.groups.len());
        for nth in 0..self.groups.len() {
            let asked = self.enter(nth);
            let at = self.groups[nth].at;
            let policy = &self.policies[at].1;
            reports.push(match &mut parts {
                Some(parts) => {
                    let files = self.corpus.files.iter().zip(parts);
                    let own = files.map(|(file, part)| {
                        part.take_if(|_| file.policy == at).unwrap_or_default()
                    });
                    let own = own.collect();
                    assemble(&self.corpus, policy, lint_options, own)
                }
                None => lint_all(&self.corpus, policy, lint_options),
            });
            self.leave(nth, &asked);
        }
        Report::join(reports)
    }

    /// Shows the corpus as one policy sees it. Returns the previous marks of the files to report on.
    fn enter(&mut self, nth: usize) -> Vec<bool> {
        let group = &mut self.groups[nth];
        let asked = self.corpus.files.iter().map(|file| file.reported).collect();
        for file in &mut self.corpus.files {
            file.reported &= file.policy == group.at;
        }
        self.corpus.before = group.before.take();
        self.corpus.lock = group.lock.take();
        asked
    }

    fn leave(&mut self, nth: usize, asked: &[bool]) {
        for (file, asked) in self.corpus.files.iter_mut().zip(asked) {
            file.reported = *asked;
        }
        let group = &mut self.groups[nth];
        group.before = self.corpus.before.take();
        group.lock = self.corpus.lock.take();
    }

    /// Writes the baseline, and checks with it.
    fn write_baseline(
        &mut self,
        lint_options: &LintOptions<'_>,
        older: Option<&Baseline>,
        messages: &mut Vec<String>,
    ) -> Result<Report, RunError> {
        self.parts = None;
        let mut baselines = Vec::new();
        let mut reports = Vec::new();
        let mut left = 0;
        for nth in 0..self.groups.len() {
            let asked = self.enter(nth);
            let policy = &self.policies[self.groups[nth].at].1;
            let report = lint_all(&self.corpus, policy, lint_options);
            let (new, stay) = Baseline::from_report(&report, policy, older);
            baselines.push(new);
            reports.push(report);
            left += stay;
            self.leave(nth, &asked);
        }
        let new = Baseline::join(baselines, older, &Report::join(reports));
        super::write_baseline(self.options, self.primary(), &new, left, older, messages)?;
        Ok(self.report(&LintOptions { baseline: Some(&new), ..*lint_options }))
    }

    fn outcome(
        mut self,
        report: Report,
        diff: Option<String>,
        no_input: bool,
        messages: &mut Vec<String>,
    ) -> RunOutcome {
        let used = |at: usize| self.groups.iter().any(|group| group.at == at);
        let mut is_usage_error = false;
        for (at, (chosen, policy)) in self.policies.iter().enumerate().filter(|(at, _)| used(*at)) {
            is_usage_error |= !policy.is_valid();
            if !policy.is_usable() {
                let which = if at == PRIMARY { "the policy" } else { chosen.as_str() };
                messages.push(format!("{which} has mistakes, so no key was checked against it"));
            }
        }
        // An unknown rule in a comment is a usage error.
        is_usage_error |=
            report.findings.iter().any(|finding| finding.rule == p006_unknown_rule::RULE.id());
        let first = self.groups.iter_mut().find(|group| group.at == PRIMARY);
        if let Some(first) = first {
            self.corpus.before = first.before.take();
            self.corpus.lock = first.lock.take();
        }
        let mut policies = self.policies.into_iter().map(|(_, policy)| policy);
        RunOutcome {
            report: Some(report.shortened()),
            policy: policies.next(),
            others: policies.collect(),
            known: self.known,
            corpus: self.corpus,
            messages: std::mem::take(messages),
            help: None,
            usage_error: is_usage_error,
            no_input,
            diff,
        }
    }
}
