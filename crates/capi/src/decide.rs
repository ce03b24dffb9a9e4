//! Decides what a key may do, and explains why. Only `CXK_OK` means allowed.

use core::ffi::c_char;
use core::fmt::Write as _;

use cortexkey_core::access::{Answer, Endpoint, Permission, Question, Reference, decide};
use smallvec::SmallVec;

use crate::definitions::{CXK_TEXT_MAX, LoadedDefinitions, cxk_definitions};
use crate::handle;
use crate::input::{self, Extensible};
use crate::output::{self, OneLine, Text, ZeroIsValid};
use crate::status::{
    CXK_DECISION_REFUSED, CXK_DECISION_UNKNOWN, CXK_INVALID_OPTION, CXK_INVALID_TEXT,
    CXK_NO_MEMORY, CXK_NOT_FOUND, CXK_NULL_ARG, CXK_OK, cxk_status,
};

/// The kind of a question: one of `CXK_ASK_...`.
#[allow(non_camel_case_types, reason = "C's name")]
pub type cxk_question_kind = u32;

/// Does the key have the component `name` at the level `permission` or above? See `cxk_question`
/// for the names.
pub const CXK_ASK_COMPONENT: cxk_question_kind = 1;
/// Does the key have the action `name`? See `cxk_question` for the names.
pub const CXK_ASK_ACTION: cxk_question_kind = 2;
/// May the key see an asset in these asset `groups`?
pub const CXK_ASK_ASSET: cxk_question_kind = 3;
/// May the key see a finding of an asset in these asset `groups`?
pub const CXK_ASK_FINDING: cxk_question_kind = 4;
/// May the key see an issue of the domain `name` with these `references`?
pub const CXK_ASK_ISSUE: cxk_question_kind = 5;
/// May the key see a case of the domain `name` with these `issues`?
pub const CXK_ASK_CASE: cxk_question_kind = 6;
/// May the key see an endpoint in these endpoint `groups`, with these `tags`?
pub const CXK_ASK_ENDPOINT: cxk_question_kind = 7;
/// Does the key's scope allow managing an endpoint in these endpoint `groups`, with these `tags`?
pub const CXK_ASK_MANAGE_ENDPOINT: cxk_question_kind = 8;
/// May the key see a row of the dataset `name` with these `fields`?
pub const CXK_ASK_DATASET_ROW: cxk_question_kind = 9;

/// A permission level on a component: one of `CXK_PERMISSION_...`.
#[allow(non_camel_case_types, reason = "C's name")]
pub type cxk_permission = u32;

/// No access: the component is hidden. Not valid in a question.
pub const CXK_PERMISSION_NONE: cxk_permission = 0;
/// View the component.
pub const CXK_PERMISSION_VIEW: cxk_permission = 1;
/// Change the component (the console's View/Edit).
pub const CXK_PERMISSION_EDIT: cxk_permission = 2;

/// The kind of a reference: one of `CXK_REFERENCE_...`.
#[allow(non_camel_case_types, reason = "C's name")]
pub type cxk_reference_kind = u32;

/// An asset of the inventory.
pub const CXK_REFERENCE_ASSET: cxk_reference_kind = 1;
/// A deleted asset. It counts as an unknown object: an issue that references only such objects is
/// visible only if the scope includes cases and issues without a known object.
pub const CXK_REFERENCE_DELETED: cxk_reference_kind = 2;
/// An object that is in no inventory.
pub const CXK_REFERENCE_UNKNOWN: cxk_reference_kind = 3;

/// The largest number of entries in each list of a question.
pub const CXK_LIST_MAX: usize = 4_096;

/// An endpoint. Names are UTF-8, terminated by NUL, at most `CXK_TEXT_MAX` bytes.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_endpoint {
    /// The endpoint's groups. It may be NULL if there are none.
    pub groups: *const *const c_char,
    /// The number of groups.
    pub group_count: usize,
    /// The endpoint's tags. It may be NULL if there are none.
    pub tags: *const *const c_char,
    /// The number of tags.
    pub tag_count: usize,
}

/// What an issue references.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_reference {
    /// The asset's groups. It may be NULL if there are none.
    pub groups: *const *const c_char,
    /// The number of groups.
    pub group_count: usize,
    /// The endpoint of an asset with an agent; otherwise NULL.
    pub endpoint: *const cxk_endpoint,
    /// The kind of object that is referenced.
    pub kind: cxk_reference_kind,
    /// Always 0.
    pub reserved: u32,
}

/// An issue of a case.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_issue {
    /// The issue's domain.
    pub domain: *const c_char,
    /// The issue's references. It may be NULL if there are none.
    pub references: *const cxk_reference,
    /// The number of references.
    pub reference_count: usize,
}

/// A field of a row.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_field {
    /// The field's name.
    pub name: *const c_char,
    /// The field's value.
    pub value: *const c_char,
}

/// A question about a key. Start with `cxk_question question = CXK_QUESTION_INIT;`, then set `kind`
/// and the fields that the kind names; other fields are ignored. Strings are UTF-8, terminated by
/// NUL, at most `CXK_TEXT_MAX` bytes; lists have at most `CXK_LIST_MAX` entries.
///
/// Names are compared byte by byte with those in the key's roles and scope:
///
/// - Component: the console's name, such as "Public API". If two groups in the console have a
///   component of the same name, add the group: "Issues (Application Security)". docs/roles.md
///   lists all public ones with their levels.
/// - Action: the console's name, such as "Live Terminal". docs/roles.md lists it with its
///   component. An action has no level.
/// - Domain: "Security", "Posture", "Health", "Hunting", "IT", or one of the tenant's own.
/// - Dataset, group, tag and field: the tenant's own names.
///
/// `cortexkey roles "ROLE"` lists what one role grants, including your organisation's own roles. No
/// complete public list exists, so an unlisted name is not an error. For an unlisted name, the
/// answer is `CXK_OK` if a role grants every component or every component that it does not list,
/// `CXK_DECISION_REFUSED` if the roles are listed completely, and `CXK_DECISION_UNKNOWN` otherwise.
/// Define names as constants in your program, because a misspelt one can be allowed.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_question {
    /// `sizeof(cxk_question)`
    pub struct_size: u32,
    /// The kind of the question.
    pub kind: cxk_question_kind,
    /// The component, action, domain or dataset, as above.
    pub name: *const c_char,
    /// The groups of the asset or endpoint.
    pub groups: *const *const c_char,
    /// The number of groups.
    pub group_count: usize,
    /// The tags of the endpoint.
    pub tags: *const *const c_char,
    /// The number of tags.
    pub tag_count: usize,
    /// What an issue references.
    pub references: *const cxk_reference,
    /// The number of references.
    pub reference_count: usize,
    /// The case's issues.
    pub issues: *const cxk_issue,
    /// The number of issues.
    pub issue_count: usize,
    /// The row's fields.
    pub fields: *const cxk_field,
    /// The number of fields.
    pub field_count: usize,
    /// The permission level on the component.
    pub permission: cxk_permission,
    /// Always 0.
    pub reserved: u32,
}

/// The result of a decision. If there is none, `answer` and `if_enforced` are the call's status,
/// and never `CXK_OK`.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_decision {
    /// The call's return value: `CXK_OK`, `CXK_DECISION_REFUSED` or `CXK_DECISION_UNKNOWN`, or the
    /// reason why there is no answer.
    pub answer: cxk_status,
    /// The answer if the tenant enforced scopes. It differs from `answer` only if scopes are off.
    pub if_enforced: cxk_status,
    /// 1 if there is an answer, otherwise 0.
    pub decided: u32,
    /// 1 if the tenant does not enforce scopes, otherwise 0.
    pub scopes_off: u32,
}

// SAFETY: numbers and pointers; zeros are both.
unsafe impl ZeroIsValid for cxk_question {}
// SAFETY: it begins with its size.
unsafe impl Extensible for cxk_question {}
// SAFETY: numbers; zeros are numbers.
unsafe impl ZeroIsValid for cxk_decision {}

/// Answers a question about the key at an index of the definitions: `CXK_OK` if it may,
/// `CXK_DECISION_REFUSED` if it may not, `CXK_DECISION_UNKNOWN` if that depends on a fact that is
/// not listed in the definitions.
///
/// - Ownership: `out` is the caller's memory; it holds the call's status if there is no answer.
///   `text` is the caller's buffer of `text_size` bytes for one line that explains the answer and
///   names what would change it, or NULL. It is terminated by NUL, and truncated if it is too
///   small.
/// - Threads: any number may call it at once.
/// - Errors: in addition to the answers, `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`,
///   `CXK_NOT_FOUND` (no such index), `CXK_INVALID_STRUCT`, `CXK_INVALID_OPTION` (no such kind,
///   permission or reference), `CXK_INVALID_TEXT`, `CXK_TOO_LARGE` (a list above `CXK_LIST_MAX`, or
///   `text_size` above 1 MiB), `CXK_BUFFER_TOO_SMALL` (no room for NUL), `CXK_NO_MEMORY`.
///
/// ```c
/// const char *groups[] = {"prod-us"};
/// char why[CXK_LINE_SIZE];
/// cxk_question question = CXK_QUESTION_INIT;
/// cxk_decision decision;
/// question.kind = CXK_ASK_ASSET;
/// question.groups = groups;
/// question.group_count = 1;
/// if (cxk_decide(definitions, 0, &question, &decision, why, sizeof why) != CXK_OK) puts(why);
/// ```
///
/// # Safety
///
/// `definitions` comes from `cxk_definitions_load()` and was not freed. `question` points to a
/// structure of the size in `struct_size`, whose arrays have as many readable elements as their
/// counts, and whose strings are terminated by NUL. `out` is writable.
/// `text` is NULL, or points to `text_size` writable bytes.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_decide(
    definitions: *const cxk_definitions,
    at: usize,
    question: *const cxk_question,
    out: *mut cxk_decision,
    text: *mut c_char,
    text_size: usize,
) -> cxk_status {
    // SAFETY: this function's contract.
    unsafe { output::clear(out, 1, 1) };
    let mut answer = CXK_OK;
    let mut decided = |text: &mut Text<'_>| {
        let fill = |out: &mut cxk_decision| {
            // SAFETY: this function's contract.
            let definitions: &LoadedDefinitions = unsafe { handle::get(definitions) }?;
            // SAFETY: as above.
            let question = unsafe { input::structure(question) }?;
            // SAFETY: as above.
            *out = unsafe { ask(definitions, at, &question, text) }?;
            answer = out.answer;
            Ok(())
        };
        // SAFETY: this function's contract.
        match unsafe { output::fill(out, fill) } {
            CXK_OK => Ok(()),
            status => Err(status),
        }
    };
    let status = if text.is_null() {
        crate::panic::caught(|| decided(&mut Text::discarded()))
    } else {
        let fill_text = |place: &mut [c_char]| decided(&mut Text::in_place(place)?);
        // SAFETY: this function's contract.
        unsafe { output::fill_all(text, text_size, 1 << 20, fill_text) }
    };
    if status == CXK_OK {
        return answer;
    }
    let no_answer = cxk_decision { answer: status, if_enforced: status, decided: 0, scopes_off: 0 };
    // SAFETY: this function's contract.
    unsafe { output::overwrite(out, no_answer) };
    status
}

/// Decides, and writes the trace. It allocates only for a question with more than [`FEW`] names,
/// references, issues or fields.
///
/// # Safety
///
/// As `cxk_decide`.
unsafe fn ask(
    definitions: &LoadedDefinitions,
    at: usize,
    question: &cxk_question,
    text: &mut Text<'_>,
) -> Result<cxk_decision, cxk_status> {
    // SAFETY: this function's contract.
    let lists = unsafe { Lists::of(question) }?;
    let references = lists.references()?;
    let issues = lists.issues(&references)?;
    let name = lists.name;
    let groups = lists.names(lists.groups);
    let endpoint = Endpoint { groups, tags: lists.names(lists.tags) };
    let asked = match question.kind {
        CXK_ASK_COMPONENT => {
            Question::Component { name, permission: permission_of(question.permission)? }
        }
        CXK_ASK_ACTION => Question::Action { name },
        CXK_ASK_ASSET => Question::Asset { groups },
        CXK_ASK_FINDING => Question::Finding { asset_groups: groups },
        CXK_ASK_ISSUE => Question::Issue { domain: name, references: &references },
        CXK_ASK_CASE => Question::Case { domain: name, issues: &issues },
        CXK_ASK_ENDPOINT => Question::Endpoint(endpoint),
        CXK_ASK_MANAGE_ENDPOINT => Question::ManageEndpoint(endpoint),
        _ => Question::DatasetRow { dataset: name, row: &lists.fields },
    };
    let key = definitions.key(at).ok_or(CXK_NOT_FOUND)?;
    if key.older_scopes && asked.is_about_scope() {
        let _ = text
            .write_str("unknown: the product has an older model of scopes, which is not evaluated");
        return Ok(cxk_decision {
            answer: CXK_DECISION_UNKNOWN,
            if_enforced: CXK_DECISION_UNKNOWN,
            decided: 1,
            scopes_off: 0,
        });
    }
    let decision = decide(&key.access(), &key.settings, &asked);
    // Text beyond the end of the buffer is dropped.
    let _ = write!(text, "{}", OneLine(decision));
    Ok(cxk_decision {
        answer: status_of(decision.answer()),
        if_enforced: status_of(decision.if_enforced()),
        decided: 1,
        scopes_off: u32::from(decision.scopes_are_off()),
    })
}

/// `CXK_PERMISSION_NONE` is an error: every key would hold it, and a caller that forgot to set the
/// permission would get the answer that the key is allowed.
fn permission_of(permission: cxk_permission) -> Result<Permission, cxk_status> {
    match permission {
        CXK_PERMISSION_VIEW => Ok(Permission::View),
        CXK_PERMISSION_EDIT => Ok(Permission::Edit),
        _ => Err(CXK_INVALID_OPTION),
    }
}

fn status_of(answer: Answer) -> cxk_status {
    match answer {
        Answer::Allowed => CXK_OK,
        Answer::Refused => CXK_DECISION_REFUSED,
        Answer::Unknown => CXK_DECISION_UNKNOWN,
    }
}

/// How many names, references, issues and fields a question has room for without an allocation.
const FEW: usize = 16;

/// A list on the stack that moves to the heap when it gets long.
type List<T> = SmallVec<[T; FEW]>;

/// A range of a list.
#[derive(Clone, Copy, Default)]
struct Part {
    start: usize,
    end: usize,
}

impl Part {
    fn of<T>(self, list: &[T]) -> &[T] {
        list.get(self.start..self.end).unwrap_or_default()
    }
}

/// The lists of a question. All names are in one list, one range after the other.
#[derive(Default)]
struct Lists<'a> {
    name: &'a str,
    names: List<&'a str>,
    groups: Part,
    tags: Part,
    fields: List<(&'a str, &'a str)>,
    references: List<Referenced>,
    /// The domain of each issue of a case, and its references.
    issues: List<(&'a str, Part)>,
}

struct Referenced {
    kind: cxk_reference_kind,
    groups: Part,
    endpoint: Option<(Part, Part)>,
}

impl<'a> Lists<'a> {
    /// Reads what the kind of question requires.
    ///
    /// # Safety
    ///
    /// As `cxk_decide`.
    unsafe fn of(question: &cxk_question) -> Result<Self, cxk_status> {
        let mut lists = Self::default();
        let kind = question.kind;
        if !(CXK_ASK_COMPONENT..=CXK_ASK_DATASET_ROW).contains(&kind) || question.reserved != 0 {
            return Err(CXK_INVALID_OPTION);
        }
        let has_groups = matches!(
            kind,
            CXK_ASK_ASSET | CXK_ASK_FINDING | CXK_ASK_ENDPOINT | CXK_ASK_MANAGE_ENDPOINT
        );
        if has_groups {
            // SAFETY: this function's contract.
            lists.groups = unsafe { lists.take_names(question.groups, question.group_count) }?;
        } else {
            // SAFETY: as above.
            lists.name = unsafe { name(question.name) }?;
        }
        match kind {
            CXK_ASK_ENDPOINT | CXK_ASK_MANAGE_ENDPOINT => {
                // SAFETY: as above.
                lists.tags = unsafe { lists.take_names(question.tags, question.tag_count) }?;
            }
            CXK_ASK_ISSUE => {
                let start = question.references;
                let count = question.reference_count;
                // SAFETY: as above.
                unsafe { lists.take_references(start, count) }?;
            }
            CXK_ASK_CASE => {
                // SAFETY: as above.
                let issues =
                    unsafe { input::array(question.issues, question.issue_count, CXK_LIST_MAX) }?;
                for issue in issues {
                    // SAFETY: as above.
                    let domain = unsafe { name(issue.domain) }?;
                    let start = issue.references;
                    let count = issue.reference_count;
                    // SAFETY: as above.
                    let references = unsafe { lists.take_references(start, count) }?;
                    push(&mut lists.issues, (domain, references))?;
                }
            }
            CXK_ASK_DATASET_ROW => {
                // SAFETY: as above.
                let fields =
                    unsafe { input::array(question.fields, question.field_count, CXK_LIST_MAX) }?;
                for field in fields {
                    // SAFETY: as above.
                    let field = (unsafe { name(field.name) }?, unsafe { name(field.value) }?);
                    push(&mut lists.fields, field)?;
                }
            }
            _ => {}
        }
        Ok(lists)
    }

    fn names(&self, part: Part) -> &[&'a str] {
        part.of(&self.names)
    }

    /// All references in the core's form.
    fn references(&self) -> Result<List<Reference<'_>>, cxk_status> {
        let mut references = List::new();
        for referenced in &self.references {
            push(&mut references, self.reference(referenced))?;
        }
        Ok(references)
    }

    fn reference(&self, referenced: &Referenced) -> Reference<'_> {
        match referenced.kind {
            CXK_REFERENCE_ASSET => Reference::Asset {
                groups: self.names(referenced.groups),
                endpoint: referenced.endpoint.map(|(groups, tags)| Endpoint {
                    groups: self.names(groups),
                    tags: self.names(tags),
                }),
            },
            CXK_REFERENCE_DELETED => Reference::Deleted,
            _ => Reference::Unknown,
        }
    }

    /// The issues of a case in the core's form.
    fn issues<'r>(
        &self,
        references: &'r [Reference<'r>],
    ) -> Result<List<(&'r str, &'r [Reference<'r>])>, cxk_status>
    where
        'a: 'r,
    {
        let mut issues = List::new();
        for (domain, part) in &self.issues {
            push(&mut issues, (*domain, part.of(references)))?;
        }
        Ok(issues)
    }

    /// # Safety
    ///
    /// As `cxk_decide`.
    unsafe fn take_references(
        &mut self,
        start: *const cxk_reference,
        count: usize,
    ) -> Result<Part, cxk_status> {
        let begin = self.references.len();
        // SAFETY: this function's contract.
        for reference in unsafe { input::array(start, count, CXK_LIST_MAX) }? {
            // SAFETY: as above.
            let referenced = unsafe { self.take_reference(reference) }?;
            push(&mut self.references, referenced)?;
        }
        Ok(Part { start: begin, end: self.references.len() })
    }

    /// # Safety
    ///
    /// As `cxk_decide`.
    unsafe fn take_reference(
        &mut self,
        reference: &cxk_reference,
    ) -> Result<Referenced, cxk_status> {
        let cxk_reference { kind, groups, group_count, endpoint, reserved } = *reference;
        match kind {
            CXK_REFERENCE_ASSET if reserved == 0 => {}
            CXK_REFERENCE_DELETED | CXK_REFERENCE_UNKNOWN if reserved == 0 => {
                return Ok(Referenced { kind, groups: Part::default(), endpoint: None });
            }
            _ => return Err(CXK_INVALID_OPTION),
        }
        // SAFETY: this function's contract.
        let groups = unsafe { self.take_names(groups, group_count) }?;
        if endpoint.is_null() {
            return Ok(Referenced { kind, groups, endpoint: None });
        }
        // SAFETY: as above.
        let [endpoint] = unsafe { input::array(endpoint, 1, 1) }? else { return Err(CXK_NULL_ARG) };
        // SAFETY: as above.
        let endpoint_groups = unsafe { self.take_names(endpoint.groups, endpoint.group_count) }?;
        // SAFETY: as above.
        let tags = unsafe { self.take_names(endpoint.tags, endpoint.tag_count) }?;
        Ok(Referenced { kind, groups, endpoint: Some((endpoint_groups, tags)) })
    }

    /// # Safety
    ///
    /// As `cxk_decide`.
    unsafe fn take_names(
        &mut self,
        start: *const *const c_char,
        count: usize,
    ) -> Result<Part, cxk_status> {
        let begin = self.names.len();
        // SAFETY: this function's contract.
        for start in unsafe { input::array(start, count, CXK_LIST_MAX) }? {
            // SAFETY: as above.
            let name = unsafe { name(*start) }?;
            push(&mut self.names, name)?;
        }
        Ok(Part { start: begin, end: self.names.len() })
    }
}

/// # Safety
///
/// `start` is NULL or points to a string that ends with NUL, or to `CXK_TEXT_MAX + 1` bytes.
unsafe fn name<'a>(start: *const c_char) -> Result<&'a str, cxk_status> {
    if start.is_null() {
        return Err(CXK_NULL_ARG);
    }
    // SAFETY: this function's contract.
    let len = unsafe { input::text_len(start, CXK_TEXT_MAX) }.ok_or(CXK_INVALID_TEXT)?;
    // SAFETY: as above.
    let bytes = unsafe { input::bytes(start, len, CXK_TEXT_MAX, CXK_INVALID_TEXT) }?;
    core::str::from_utf8(bytes).map_err(|_| CXK_INVALID_TEXT)
}

/// Adds to a list, if there is memory for it.
fn push<T>(list: &mut List<T>, value: T) -> Result<(), cxk_status> {
    list.try_reserve(1).map_err(|_| CXK_NO_MEMORY)?;
    list.push(value);
    Ok(())
}
