//! A decision does not allocate if its question has few names.

use core::cell::Cell;
use core::ffi::c_char;
use core::ptr::null_mut;
use std::alloc::{GlobalAlloc, Layout, System};

use crate::*;

/// The system's allocator, which counts the allocations of each thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does all of the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

const DEFINITIONS: &[u8] = include_bytes!("../../../vectors/definitions/after.ckc");
const NAMES_MAX: usize = 16;

fn question(kind: cxk_question_kind) -> cxk_question {
    let name = c"Security".as_ptr();
    cxk_question { kind, name, permission: CXK_PERMISSION_VIEW, ..crate::fault_tests::question() }
}

/// How many allocations all keys' decisions take.
fn allocations(definitions: *const cxk_definitions, question: &cxk_question) -> usize {
    let before = ALLOCATIONS.get();
    let mut line: [c_char; CXK_LINE_SIZE] = [0; CXK_LINE_SIZE];
    let mut decided = 0;
    for at in 0.. {
        let mut out =
            cxk_decision { answer: CXK_OK, if_enforced: CXK_OK, decided: 0, scopes_off: 0 };
        let text = line.as_mut_ptr();
        let size = line.len();
        if unsafe { cxk_decide(definitions, at, question, &raw mut out, text, size) }
            == CXK_NOT_FOUND
        {
            break;
        }
        decided += out.decided;
    }
    assert!(decided > 0);
    ALLOCATIONS.get() - before
}

#[test]
fn a_decision_of_few_names_allocates_nothing() {
    let mut definitions = null_mut();
    let bytes = DEFINITIONS.as_ptr().cast();
    let len = DEFINITIONS.len();
    assert_eq!(unsafe { cxk_definitions_load(bytes, len, &raw mut definitions) }, CXK_OK);
    let names = [c"prod-eu".as_ptr(); NAMES_MAX + 1];
    let few = NAMES_MAX / 4;
    let endpoint = cxk_endpoint {
        groups: names.as_ptr(),
        group_count: few,
        tags: names.as_ptr(),
        tag_count: few,
    };
    let reference = cxk_reference {
        groups: names.as_ptr(),
        group_count: few,
        endpoint: &raw const endpoint,
        kind: CXK_REFERENCE_ASSET,
        reserved: 0,
    };
    let deleted = cxk_reference { kind: CXK_REFERENCE_DELETED, ..reference };
    let references = [reference, deleted];
    let issue = cxk_issue {
        domain: c"Security".as_ptr(),
        references: references.as_ptr(),
        reference_count: references.len(),
    };
    let field = cxk_field { name: c"vendor".as_ptr(), value: c"acme".as_ptr() };
    let groups = |kind, count| cxk_question {
        groups: names.as_ptr(),
        group_count: count,
        tags: names.as_ptr(),
        tag_count: few,
        ..question(kind)
    };
    let issues = [
        cxk_question {
            references: references.as_ptr(),
            reference_count: references.len(),
            ..question(CXK_ASK_ISSUE)
        },
        cxk_question { issues: &raw const issue, issue_count: 1, ..question(CXK_ASK_CASE) },
        cxk_question { fields: &raw const field, field_count: 1, ..question(CXK_ASK_DATASET_ROW) },
    ];
    let few_names = [CXK_ASK_FINDING, CXK_ASK_ENDPOINT, CXK_ASK_MANAGE_ENDPOINT];
    let questions = [CXK_ASK_COMPONENT, CXK_ASK_ACTION].map(question);
    let questions = questions.into_iter().chain(few_names.map(|kind| groups(kind, few)));
    for question in questions.chain([groups(CXK_ASK_ASSET, NAMES_MAX)]).chain(issues) {
        assert_eq!(allocations(definitions, &question), 0, "kind {}", question.kind);
    }
    // The counter counts: one more name does not fit.
    assert!(allocations(definitions, &groups(CXK_ASK_ASSET, NAMES_MAX + 1)) > 0);
    unsafe { cxk_definitions_free(definitions) };
}
