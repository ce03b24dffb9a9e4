//! The misuse matrix: a C program that calls every function of the header incorrectly, in every way
//! that the header allows it to detect, and checks status and outputs.

use std::fmt::Write as _;

/// A function as declared in the header.
struct Prototype<'h> {
    name: &'h str,
    parameters: Vec<Parameter<'h>>,
}

struct Parameter<'h> {
    /// Without annotations, such as `const struct cxk_signer *`.
    kind: String,
    name: &'h str,
    nullable: bool,
}

/// A correct call of a function, and invalid values for its lengths and other numbers.
struct Call {
    function: &'static str,
    /// The arguments in order.
    right: &'static [&'static str],
    /// The result of a correct call.
    answer: &'static str,
    /// Outputs that must be zeros after a failure: argument index, and bytes.
    outputs: &'static [(usize, &'static str)],
    /// An argument index, another value, and the expected result.
    wrong: &'static [(usize, &'static str, &'static str)],
}

const ADVANCED: &str = "CXK_LEVEL_ADVANCED";
const OK: &str = "CXK_OK";
const NULL: &str = "CXK_NULL_ARG";
const TEXT: &str = "CXK_INVALID_TEXT";
const LARGE: &str = "CXK_TOO_LARGE";

const CALLS: &[Call] = &[
    Call { function: "cxk_abi_version", right: &[], answer: "0", outputs: &[], wrong: &[] },
    Call { function: "cxk_version", right: &[], answer: "text", outputs: &[], wrong: &[] },
    Call { function: "cxk_status_name", right: &["0"], answer: "text", outputs: &[], wrong: &[] },
    Call {
        function: "cxk_status_message",
        right: &["0"],
        answer: "text",
        outputs: &[],
        wrong: &[],
    },
    Call {
        function: "cxk_nonce",
        right: &["OUT(char)", "65"],
        answer: OK,
        outputs: &[(0, "64")],
        wrong: &[
            (1, "0", "CXK_BUFFER_TOO_SMALL"),
            (1, "64", "CXK_BUFFER_TOO_SMALL"),
            (1, "4096", OK),
            (1, "4097", LARGE),
            (1, "SIZE_MAX", LARGE),
        ],
    },
    Call {
        function: "cxk_equal",
        right: &["KEY", "KEY", "3"],
        answer: "1",
        outputs: &[],
        wrong: &[(2, "0", "0"), (2, "SIZE_MAX", "0"), (1, "KEY + 1", "0")],
    },
    Call {
        function: "cxk_wipe",
        right: &["OUT(char)", "0"],
        answer: "",
        outputs: &[],
        wrong: &[(1, "SIZE_MAX", "")],
    },
    Call {
        function: "cxk_signer_new",
        right: &["7", ADVANCED, "long_text", "5", "OUT(cxk_signer *)"],
        answer: OK,
        outputs: &[(4, "sizeof(void *)")],
        wrong: &[
            (0, "0", "CXK_INVALID_KEY_ID"),
            (1, "0", "CXK_INVALID_LEVEL"),
            (1, "3", "CXK_INVALID_LEVEL"),
            (1, "UINT32_MAX", "CXK_INVALID_LEVEL"),
            (2, "\"spa ce\"", "CXK_INVALID_KEY"),
            (2, "\"line\\n\"", "CXK_INVALID_KEY"),
            (2, "\"caf\\xc3\\xa9\"", "CXK_INVALID_KEY"),
            (2, "\"\\x7f....\"", "CXK_INVALID_KEY"),
            (2, "\"\\0....\"", "CXK_INVALID_KEY"),
            (3, "0", "CXK_INVALID_KEY"),
            (3, "1", OK),
            (3, "256", OK),
            (3, "257", "CXK_INVALID_KEY"),
            (3, "SIZE_MAX", "CXK_INVALID_KEY"),
        ],
    },
    Call {
        function: "cxk_signer_headers",
        right: &["signer", "OUT(cxk_headers)"],
        answer: OK,
        outputs: &[(1, "sizeof(cxk_headers)")],
        wrong: &[],
    },
    Call {
        function: "cxk_signer_headers_at",
        right: &["signer", "NONCE", "64", "TIME_MS", "OUT(cxk_headers)"],
        answer: OK,
        outputs: &[(4, "sizeof(cxk_headers)")],
        wrong: &[
            (1, "(const char *)null", NULL),
            (1, "KEY_WITH_DASH", "CXK_INVALID_NONCE"),
            (2, "0", "CXK_INVALID_NONCE"),
            (2, "63", "CXK_INVALID_NONCE"),
            (2, "65", "CXK_INVALID_NONCE"),
            (2, "SIZE_MAX", "CXK_INVALID_NONCE"),
            (3, "0", "CXK_INVALID_TIMESTAMP"),
            (3, "999999999999u", "CXK_INVALID_TIMESTAMP"),
            (3, "1000000000000u", OK),
            (3, "9999999999999u", OK),
            (3, "10000000000000u", "CXK_INVALID_TIMESTAMP"),
            (3, "UINT64_MAX", "CXK_INVALID_TIMESTAMP"),
        ],
    },
    Call {
        function: "cxk_signer_header_lines",
        right: &["signer", "OUT(cxk_header_lines)"],
        answer: OK,
        outputs: &[(1, "sizeof(cxk_header_lines)")],
        wrong: &[],
    },
    Call {
        function: "cxk_signer_sign_batch",
        right: &["signer", "OUT(cxk_signature)", "3"],
        answer: OK,
        outputs: &[(1, "3 * sizeof(cxk_signature)")],
        wrong: &[
            (0, "standard", "CXK_NOT_ADVANCED"),
            (2, "0", OK),
            (2, "CXK_BATCH_MAX + 1", LARGE),
            (2, "SIZE_MAX", LARGE),
        ],
    },
    Call { function: "cxk_signer_free", right: &["NULL"], answer: "", outputs: &[], wrong: &[] },
    Call {
        function: "cxk_expiry_at",
        right: &["TIME_MS", "TIME_MS", "OUT(cxk_expiry)"],
        answer: OK,
        outputs: &[(2, "sizeof(cxk_expiry)")],
        wrong: &[],
    },
    Call {
        function: "cxk_keyring_new",
        right: &["OUT(cxk_keyring *)"],
        answer: OK,
        outputs: &[(0, "sizeof(void *)")],
        wrong: &[],
    },
    Call {
        function: "cxk_keyring_put",
        right: &["keyring", "&key"],
        answer: OK,
        outputs: &[],
        wrong: &[
            (1, "(key.struct_size = 0, &key)", "CXK_INVALID_STRUCT"),
            (1, "(key.struct_size--, &key)", "CXK_INVALID_STRUCT"),
            (1, "(key.struct_size = UINT32_MAX, &key)", "CXK_INVALID_STRUCT"),
            (1, "(key.key_id = 0, &key)", "CXK_INVALID_KEY_ID"),
            (1, "(key.level = 3, &key)", "CXK_INVALID_LEVEL"),
            (1, "(key.key = NULL, &key)", NULL),
            (1, "(key.key_len = 0, &key)", "CXK_INVALID_KEY"),
            (1, "(key.key_len = 257, &key)", "CXK_INVALID_KEY"),
            (1, "(key.key_len = SIZE_MAX, &key)", "CXK_INVALID_KEY"),
            (1, "(key.flags = 2, &key)", "CXK_INVALID_OPTION"),
            (1, "(key.reserved = 1, &key)", "CXK_INVALID_OPTION"),
        ],
    },
    Call {
        function: "cxk_keyring_revoke",
        right: &["keyring", "8"],
        answer: "CXK_NOT_FOUND",
        outputs: &[],
        wrong: &[(1, "0", "CXK_NOT_FOUND")],
    },
    Call {
        function: "cxk_keyring_remove",
        right: &["keyring", "8"],
        answer: "CXK_NOT_FOUND",
        outputs: &[],
        wrong: &[(1, "0", "CXK_NOT_FOUND")],
    },
    Call { function: "cxk_keyring_free", right: &["NULL"], answer: "", outputs: &[], wrong: &[] },
    Call {
        function: "cxk_replay_guard_new",
        right: &["&guard_options", "OUT(cxk_replay_guard *)"],
        answer: OK,
        outputs: &[(1, "sizeof(void *)")],
        wrong: &[
            (0, "(guard_options.struct_size = 0, &guard_options)", "CXK_INVALID_STRUCT"),
            (0, "(guard_options.struct_size = UINT32_MAX, &guard_options)", "CXK_INVALID_STRUCT"),
            (0, "(guard_options.entries = 0, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.entries = UINT64_MAX, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.skew_ms = 999, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.skew_ms = 300001, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.started_ms = 0, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.flags = 2, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.keys = 1, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.uses_per_key = 1, &guard_options)", "CXK_INVALID_OPTION"),
            (0, "(guard_options.reserved = 1, &guard_options)", "CXK_INVALID_OPTION"),
        ],
    },
    Call {
        function: "cxk_replay_guard_free",
        right: &["NULL"],
        answer: "",
        outputs: &[],
        wrong: &[],
    },
    Call {
        function: "cxk_verifier_new",
        right: &["&verifier_options", "keyring", "guard", "OUT(cxk_verifier *)"],
        answer: OK,
        outputs: &[(3, "sizeof(void *)")],
        wrong: &[
            (0, "NULL", OK),
            (0, "(verifier_options.struct_size = 0, &verifier_options)", "CXK_INVALID_STRUCT"),
            (0, "(verifier_options.flags = 4, &verifier_options)", "CXK_INVALID_OPTION"),
            (0, "(verifier_options.flags = 1, &verifier_options)", "CXK_INVALID_OPTION"),
            (0, "(verifier_options.skew_ms = 1, &verifier_options)", "CXK_INVALID_OPTION"),
            (2, "NULL", NULL),
        ],
    },
    Call {
        function: "cxk_verify",
        right: &["verifier", "headers", "2", "TIME_MS", "OUT(cxk_principal)"],
        answer: OK,
        outputs: &[(4, "sizeof(cxk_principal)")],
        wrong: &[
            (1, "NULL", NULL),
            (1, "(headers[0].name = NULL, headers)", NULL),
            (1, "(headers[1].value = NULL, headers)", NULL),
            (
                1,
                "(headers[1].value = NULL, headers[1].value_len = 0, headers)",
                "CXK_VERDICT_BAD_AUTHORIZATION",
            ),
            (1, "(headers[0].name_len = 0, headers)", "CXK_VERDICT_MISSING_HEADER"),
            (1, "(headers[0].value_len = 0, headers)", "CXK_VERDICT_BAD_KEY_ID"),
            (1, "(headers[1].value_len--, headers)", "CXK_VERDICT_WRONG_SIGNATURE"),
            (
                1,
                "(headers[1].value = long_text, headers[1].value_len = SIZE_MAX, headers)",
                "CXK_VERDICT_BAD_AUTHORIZATION",
            ),
            (
                1,
                "(headers[0].name = long_text, headers[0].name_len = SIZE_MAX, headers)",
                "CXK_VERDICT_MISSING_HEADER",
            ),
            (1, "(headers[0] = headers[1], headers)", "CXK_VERDICT_DUPLICATE_HEADER"),
            (2, "0", "CXK_VERDICT_MISSING_HEADER"),
            (2, "1", "CXK_VERDICT_MISSING_HEADER"),
            (2, "CXK_HEADERS_MAX + 1", LARGE),
            (2, "SIZE_MAX", LARGE),
        ],
    },
    Call {
        function: "cxk_verify_batch",
        right: &["verifier", "requests", "2", "TIME_MS", "statuses", "OUT(cxk_principal)"],
        answer: OK,
        outputs: &[(5, "2 * sizeof(cxk_principal)")],
        wrong: &[
            (1, "NULL", NULL),
            (1, "(requests[0].headers = NULL, requests)", "CXK_SOME_REFUSED"),
            (1, "(requests[0].count = SIZE_MAX, requests)", "CXK_SOME_REFUSED"),
            (2, "0", OK),
            (2, "CXK_BATCH_MAX + 1", LARGE),
            (2, "SIZE_MAX", LARGE),
        ],
    },
    Call { function: "cxk_verifier_free", right: &["NULL"], answer: "", outputs: &[], wrong: &[] },
    Call {
        function: "cxk_definitions_load",
        right: &["bytes", "bytes_len", "OUT(cxk_definitions *)"],
        answer: OK,
        outputs: &[(2, "sizeof(void *)")],
        wrong: &[
            (1, "0", "CXK_INVALID_DEFINITIONS"),
            (1, "47", "CXK_INVALID_DEFINITIONS"),
            (1, "bytes_len - 1", "CXK_INVALID_DEFINITIONS"),
            (1, "bytes_len + 1", "CXK_INVALID_DEFINITIONS"),
            (1, "SIZE_MAX", LARGE),
        ],
    },
    Call {
        function: "cxk_definitions_get",
        right: &["definitions", "0", "OUT(cxk_definition)"],
        answer: OK,
        outputs: &[(2, "sizeof(cxk_definition)")],
        wrong: &[(1, "3", "CXK_NOT_FOUND"), (1, "SIZE_MAX", "CXK_NOT_FOUND")],
    },
    Call {
        function: "cxk_definitions_find",
        right: &["definitions", "\"export\"", "6", "OUT(size_t)"],
        answer: OK,
        outputs: &[(3, "sizeof(size_t)")],
        wrong: &[
            (1, "\"\\xff\\xff\\xff\\xff\\xff\\xff\"", TEXT),
            (2, "0", "CXK_NOT_FOUND"),
            (2, "5", "CXK_NOT_FOUND"),
            (2, "7", "CXK_NOT_FOUND"),
            (2, "CXK_TEXT_MAX + 1", TEXT),
            (2, "SIZE_MAX", TEXT),
        ],
    },
    Call {
        function: "cxk_definitions_find_id",
        right: &["definitions", "17", "OUT(size_t)"],
        answer: OK,
        outputs: &[(2, "sizeof(size_t)")],
        wrong: &[(1, "0", "CXK_NOT_FOUND"), (1, "UINT64_MAX", "CXK_NOT_FOUND")],
    },
    Call {
        function: "cxk_compare",
        right: &["definitions", "definitions", "text", "sizeof text", "OUT(size_t)"],
        answer: OK,
        outputs: &[(4, "sizeof(size_t)")],
        wrong: &[(3, "0", "CXK_BUFFER_TOO_SMALL"), (3, "1", OK), (3, "SIZE_MAX", LARGE)],
    },
    Call {
        function: "cxk_definitions_free",
        right: &["NULL"],
        answer: "",
        outputs: &[],
        wrong: &[],
    },
    Call {
        function: "cxk_decide",
        right: &["definitions", "0", "&question", "OUT(cxk_decision)", "text", "sizeof text"],
        answer: OK,
        outputs: &[(3, "sizeof(cxk_decision)")],
        wrong: &[
            (1, "3", "CXK_NOT_FOUND"),
            (1, "SIZE_MAX", "CXK_NOT_FOUND"),
            (2, "(question.struct_size = 0, &question)", "CXK_INVALID_STRUCT"),
            (2, "(question.struct_size = UINT32_MAX, &question)", "CXK_INVALID_STRUCT"),
            (2, "(question.kind = 0, &question)", "CXK_INVALID_OPTION"),
            (2, "(question.kind = 10, &question)", "CXK_INVALID_OPTION"),
            (2, "(question.reserved = 1, &question)", "CXK_INVALID_OPTION"),
            (2, "(question.kind = 1, question.permission = 3, &question)", "CXK_INVALID_OPTION"),
            (2, "(question.name = NULL, &question)", NULL),
            (2, "(question.name = \"\\xff\", &question)", TEXT),
            (2, "(question.name = long_text, &question)", TEXT),
            (2, "(question.kind = CXK_ASK_ASSET, question.group_count = 1, &question)", NULL),
            (
                2,
                "(question.kind = CXK_ASK_ASSET, question.groups = names, question.group_count = CXK_LIST_MAX + 1, &question)",
                LARGE,
            ),
            (
                2,
                "(question.kind = CXK_ASK_ASSET, question.groups = names, question.group_count = 2, &question)",
                NULL,
            ),
            (
                2,
                "(question.kind = CXK_ASK_ENDPOINT, question.tag_count = SIZE_MAX, &question)",
                NULL,
            ),
            (2, "(question.kind = CXK_ASK_ISSUE, question.reference_count = 1, &question)", NULL),
            (
                2,
                "(question.kind = CXK_ASK_ISSUE, question.references = &reference, question.reference_count = 1, &question)",
                "CXK_INVALID_OPTION",
            ),
            (2, "(question.kind = CXK_ASK_CASE, question.issue_count = 1, &question)", NULL),
            (
                2,
                "(question.kind = CXK_ASK_CASE, question.issues = &issue, question.issue_count = 1, &question)",
                NULL,
            ),
            (
                2,
                "(question.kind = CXK_ASK_DATASET_ROW, question.fields = &field, question.field_count = 1, &question)",
                NULL,
            ),
            (4, "NULL", OK),
            (5, "0", "CXK_BUFFER_TOO_SMALL"),
            (5, "1", OK),
            (5, "SIZE_MAX", LARGE),
        ],
    },
];

/// The handles, and the variables that hold one of each.
const HANDLES: [(&str, &str); 5] = [
    ("cxk_signer", "signer"),
    ("cxk_keyring", "keyring"),
    ("cxk_replay_guard", "guard"),
    ("cxk_verifier", "verifier"),
    ("cxk_definitions", "definitions"),
];

const HEAD: &str = include_str!("misuse_head.c");

/// The program, and the number of its incorrect calls.
pub(crate) fn program(header: &str) -> Result<(String, usize), String> {
    let prototypes = prototypes(header);
    let names = |names: Vec<&str>| names.join(", ");
    let declared: Vec<&str> = prototypes.iter().map(|prototype| prototype.name).collect();
    let known: Vec<&str> = CALLS.iter().map(|call| call.function).collect();
    if declared != known {
        return Err(format!(
            "the misuse matrix knows {}, but the header declares {}",
            names(known),
            names(declared)
        ));
    }
    let mut text = HEAD.to_owned();
    let mut count = 0;
    for (prototype, call) in prototypes.iter().zip(CALLS) {
        let cases = cases(prototype, call)?;
        count += cases.len();
        let _ = write!(text, "\nstatic void misuse_{}(void) {{\n", prototype.name);
        for (arguments, answer) in &cases {
            text += &case(prototype, call, arguments, answer);
        }
        text += "}\n";
    }
    text += "\nint main(int argc, char **argv) {\n  if (argc != 2) return 2;\n  set_up(argv[1]);\n";
    for prototype in &prototypes {
        let _ = writeln!(text, "  misuse_{}();", prototype.name);
    }
    let _ =
        writeln!(text, "  tear_down();\n  printf(\"{count} calls, %d mistakes\\n\", mistakes);");
    text += "  return mistakes == 0 ? 0 : 1;\n}\n";
    Ok((text, count))
}

type Case = (Vec<String>, String);

/// The correct call, every pointer NULL and misaligned, every handle of another type, and the
/// table's values.
fn cases(prototype: &Prototype<'_>, call: &Call) -> Result<Vec<Case>, String> {
    let function = prototype.name;
    if prototype.parameters.len() != call.right.len() {
        return Err(format!("{function}: the table has another number of parameters"));
    }
    let right: Vec<String> = call.right.iter().map(|text| (*text).to_owned()).collect();
    let with = |at: usize, value: &str| {
        let mut arguments = right.clone();
        if let Some(place) = arguments.get_mut(at) {
            value.clone_into(place);
        }
        arguments
    };
    let mut cases = vec![(right.clone(), call.answer.to_owned())];
    // `cxk_equal` returns 0 where other functions return an error.
    let refusal = |status: &str| match (call.answer, function) {
        ("", _) => String::new(),
        (_, "cxk_equal") => "0".to_owned(),
        _ => status.to_owned(),
    };
    for (at, parameter) in prototype.parameters.iter().enumerate() {
        let is_length = ["len", "size", "count"].iter().any(|end| parameter.name.ends_with(end));
        let is_tried =
            call.wrong.iter().any(|(place, value, _)| *place == at && *value == "SIZE_MAX");
        if is_length && !is_tried {
            return Err(format!("{function}: no huge {} is tried", parameter.name));
        }
        if !parameter.kind.contains('*') {
            continue;
        }
        if !parameter.nullable {
            cases.push((with(at, &format!("({})null", parameter.kind)), refusal(NULL)));
        }
        let handle = HANDLES.iter().find(|(kind, _)| {
            parameter.kind.trim_start_matches("const ") == format!("struct {kind} *")
        });
        if let Some((kind, _)) = handle {
            for (other, variable) in HANDLES.iter().filter(|(other, _)| other != kind) {
                let _ = other;
                let cast = format!("({})(void *){variable}", parameter.kind);
                cases.push((with(at, &cast), refusal("CXK_WRONG_HANDLE")));
            }
            for astray in ["(void *)rubbish", "(void *)((char *)rubbish + 1)"] {
                let cast = format!("({}){astray}", parameter.kind);
                cases.push((with(at, &cast), refusal("CXK_WRONG_HANDLE")));
            }
        }
        let output = call.outputs.iter().any(|(place, _)| *place == at);
        // Characters and structures of characters have no alignment.
        let fits = ["char *", "struct cxk_headers *", "struct cxk_signature *"];
        if output && !fits.contains(&parameter.kind.as_str()) {
            let astray = format!("({})(void *)((char *)output + 1)", parameter.kind);
            cases.push((with(at, &astray), "CXK_BAD_ARG".into()));
        }
    }
    for (at, value, answer) in call.wrong {
        cases.push((with(*at, value), (*answer).to_owned()));
    }
    Ok(cases)
}

fn case(prototype: &Prototype<'_>, call: &Call, arguments: &[String], answer: &str) -> String {
    let mut text = String::from("  reset();\n");
    let called = format!("{}({})", prototype.name, arguments.join(", "));
    if answer.is_empty() {
        let _ = writeln!(text, "  {called};\n  CHECK(alive());");
        return text;
    }
    if answer == "text" {
        let _ = writeln!(text, "  CHECK(strlen({called}) > 0);");
        return text;
    }
    let quoted = called.replace('\\', "\\\\").replace('"', "\\\"");
    let _ = writeln!(text, "  answered((long){called}, {answer}, \"{quoted}\");");
    // A batch with refusals has results; and if a count is beyond its limit, nothing is known about
    // the memory.
    let is_beyond = answer == LARGE && !arguments.iter().any(|argument| argument == "bytes");
    let has_zeros = answer != OK && answer != "CXK_SOME_REFUSED" && !is_beyond;
    for (at, bytes) in call.outputs.iter().filter(|_| has_zeros) {
        let is_there = arguments.get(*at).is_some_and(|argument| argument.starts_with("OUT("));
        // As much of a nonce as fits the stated size.
        let is_empty = prototype.name == "cxk_nonce" && arguments.iter().any(|a| a == "0");
        // Where zeros could be mistaken for a result, there is another invalid value.
        let says_nothing = match *bytes {
            "sizeof(size_t)" => "*OUT(size_t) == CXK_NOWHERE".to_owned(),
            "sizeof(cxk_decision)" if answer.starts_with("CXK_DECISION") => continue,
            "sizeof(cxk_decision)" => "is_no_decision(OUT(cxk_decision))".to_owned(),
            bytes => format!("all_zero(output, {bytes})"),
        };
        if is_there && !is_empty {
            let _ = writeln!(text, "  CHECK({says_nothing});");
        }
    }
    if answer == OK && call.outputs.iter().any(|(_, bytes)| *bytes == "sizeof(void *)") {
        // A new handle: the free function of its kind.
        let free = prototype.name.replace("_new", "_free").replace("_load", "_free");
        let made = arguments.iter().find(|argument| argument.starts_with("OUT(")).map_or("", |a| a);
        let _ = writeln!(text, "  {free}(*{made});");
    }
    text
}

fn prototypes(header: &str) -> Vec<Prototype<'_>> {
    header
        .split("\nCXK_API")
        .skip(1)
        .filter_map(|text| {
            let (head, rest) = text.split_once('(')?;
            let name = head.rsplit([' ', '*', '\n']).next()?;
            let (parameters, _) = rest.split_once(')')?;
            let parameters = parameters.split(',').map(str::trim);
            let parameters = parameters.filter(|p| *p != "void").filter_map(parameter).collect();
            Some(Prototype { name, parameters })
        })
        .collect()
}

fn parameter(text: &str) -> Option<Parameter<'_>> {
    let name = text.rsplit([' ', '*']).next()?;
    let kind = text.strip_suffix(name)?;
    // For a pointer to a pointer, the last annotation is the parameter's own.
    let nullable = kind.trim_end().ends_with("CXK_NULLABLE");
    let kind = kind.replace("CXK_NONNULL", "").replace("CXK_NULLABLE", "");
    let kind = kind.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Parameter { kind, name, nullable })
}
