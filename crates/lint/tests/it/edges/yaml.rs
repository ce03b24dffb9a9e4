//! Family Y: the file as YAML.

use super::{KEY, fixed, key, lint_text, messages, shown};

/// How other readers interpret a plain scalar, as in the message.
fn taken_for(text: &str) -> Option<String> {
    let messages = messages("Y004", "", &key("owner: team-a", &format!("owner: {text}")));
    let (_, kind) = messages.first()?.split_once(" is a string for cortexkey, but ")?;
    Some(kind.strip_suffix(" for many other readers")?.to_owned())
}

#[test]
fn a_plain_text_is_ambiguous_where_another_reader_retypes_it() {
    for (kind, texts) in [
        ("a boolean", &["y", "N", "yes", "no", "On", "off", "TRUE", "false"][..]),
        ("nothing", &["~", "null", "NULL"]),
        (
            "a number",
            &[
                "0", "2026", "017", "1_000", "+12", "-1.5", ".5", "1.", "1_.", "0.15", "1e3",
                "1E+3", "1.5e-3", ".5e0", "0x1F", "-0x_f", "0o17", "0b1_0", ".inf", "-.INF",
                "+.inf", ".NaN",
            ],
        ),
        ("a number to the base of 60", &["12:30", "12:30:45", "-1_0:5", "1234567890:30"]),
        (
            "a date",
            &["2026-01-31", "2026-1-3", "2026-01-31T00:00:00Z", "2026-01-31t1", "2026-01-31 00:00"],
        ),
    ] {
        for text in texts {
            assert_eq!(taken_for(text).as_deref(), Some(kind), "{text}");
        }
    }
    for text in [
        "none",
        "yesterday",
        "nan",
        "inf",
        "-.nan",
        "svc-1",
        "1-a",
        "v1",
        "e5",
        ".e5",
        "1.2.3",
        "10.0.0.1",
        "1st",
        "RB-12",
        "-a",
        ".",
        "+.",
        "-.",
        "+_1",
        "a:1",
        "1:a",
        "12::30",
        "0x",
        "0xyz",
        "0o8",
        "0b2",
        "0o",
        "1e",
        "1e+",
        "1e3x",
        "1.5x",
        "~a",
        "_1",
        "Viewer",
        "+a",
        ".a",
    ] {
        assert_eq!(taken_for(text), None, "{text}");
    }
}

#[test]
fn a_date_has_four_digits_and_twice_one_or_two() {
    for text in [
        "2026-01",
        "2026-Q1-1",
        "2026-x-x",
        "2026-01-x",
        "2026-01-",
        "2026-01-311",
        "2026-001-1",
        "1-1-1",
        "20a6-1-1",
        "12026-1-1",
        "2026-01-31x",
        "2026-01-T",
        "2026-1-1-1",
    ] {
        assert_eq!(taken_for(text), None, "{text}");
    }
}

#[test]
fn an_ambiguous_string_is_quoted_in_place() {
    let text = key("owner: team-a", "owner: no");
    let reported = "5 `no` | `no` is a string for cortexkey, but a boolean for many other readers | \
                write `\"no\"`";
    assert_eq!(shown("Y004", "", &text), [reported]);
    assert_eq!(fixed("Y004", "", &text), Some(key("team-a", "\"no\"")));
    for quiet in ["\"no\"", "'017'", "|\n    017", ">-\n    no"] {
        assert_eq!(messages("Y004", "", &key("team-a", quiet)), [""; 0], "{quiet}");
    }
}

#[test]
fn names_items_and_texts_are_looked_at_and_typed_fields_are_not() {
    for (old, new, lines) in [
        ("[Viewer]", "[no, 017]", &[10, 10][..]),
        ("[Viewer]", "\n    - Viewer\n    - 017", &[12]),
        ("  owner: team-a\n", "  owner: team-a\n  labels: { no: a, b: on }\n", &[6, 6]),
        // A typed field's name is not special below free names.
        ("  owner: team-a\n", "  owner: team-a\n  labels: { id: 017, a: b }\n", &[6]),
        ("  owner: team-a\n", "  owner: team-a\n  annotations:\n    mode: on\n    n: x\n", &[7, 8]),
        ("lifetime: 90d", "expires: 2026-01-31", &[]),
        ("lifetime: 90d", "lifetime: 90", &[]),
        ("endpoints: { mode: none }", "endpoints: { mode: on }", &[]),
        (
            "casesAndIssues: { mode: none }",
            "casesAndIssues: { mode: all, unreferenced: false }",
            &[],
        ),
        ("assets: { mode: none }", "assets: { mode: select, groups: [{ name: a, id: 16 }] }", &[]),
    ] {
        let text = key(old, new);
        let found = shown("Y004", "", &text);
        let at: Vec<usize> =
            found.iter().filter_map(|reported| reported.split(' ').next()?.parse().ok()).collect();
        assert_eq!(at, lines, "{text}");
    }
    // A document that is a single string is not a definition, which another rule reports.
    assert_eq!(messages("Y004", "", "no\n"), [""; 0]);
}

/// A comment with these characters.
fn comment(text: &str) -> String {
    key("For this test", text)
}

const ANEW: &str = "type the value again, without it";

#[test]
fn a_run_of_hidden_characters_is_one_fault_at_its_place() {
    for (written, name, left) in [
        ("a\u{200b}b", "U+200B", "ab"),
        ("a\u{200b}\u{ad}b", "U+200B U+00AD", "ab"),
        ("a\u{200b}\u{200b}\u{200b}\u{200b}\u{200c}b", "U+200B U+200B U+200B U+200B", "ab"),
        ("a\u{a0}b", "U+00A0", "a b"),
        ("a\u{200b}\u{a0}b", "U+200B U+00A0", "a b"),
        ("a\u{2003}b", "U+2003", "a b"),
        ("a\u{202f}b", "U+202F", "a b"),
        ("a\u{3000}b", "U+3000", "a b"),
        ("a\u{1680}b", "U+1680", "a b"),
        ("a\u{202e}b", "U+202E", "ab"),
        ("a\u{61c}b", "U+061C", "ab"),
        ("a\u{3164}b", "U+3164", "ab"),
        ("a\u{fe0f}b", "U+FE0F", "ab"),
        ("a\u{e0041}b", "U+E0041", "ab"),
    ] {
        let text = comment(written);
        let hidden = &written[1..written.len() - 1];
        let message = format!("{name} is an invisible character");
        assert_eq!(shown("Y005", "", &text), [format!("8 `{hidden}` | {message} | {ANEW}")]);
        assert_eq!(fixed("Y005", "", &text), Some(comment(left)), "{name}");
        // A byte order mark moves every position.
        let marked = format!("\u{feff}{text}");
        assert_eq!(shown("Y005", "", &marked), [format!("8 `{hidden}` | {message} | {ANEW}")]);
        let fixed = fixed("Y005", "", &marked);
        assert_eq!(fixed, Some(format!("\u{feff}{}", comment(left))), "{name}");
    }
    let twice = comment("a\u{200b}b\u{200b}c");
    assert_eq!(messages("Y005", "", &twice).len(), 2);
}

#[test]
fn a_value_that_was_seen_is_not_a_fault() {
    for text in
        ["plain words", "größer", "日本 key", "a\\b", "\"a\\tb\\nc\"", "\"\\u00e9\"", "a\tb"]
    {
        assert_eq!(messages("Y005", "", &comment(text)), [""; 0], "{text}");
    }
    assert_eq!(messages("Y005", "", &format!("\u{feff}{KEY}")), [""; 0]);
    assert_eq!(messages("Y005", "", &comment("größer").replace('\n', "\r\n")), [""; 0]);
}

#[test]
fn escaped_characters_are_reported_once() {
    let reported = |written: &str, name: &str| {
        format!(
            "8 `{written}` | an escape produces {name}, which is invisible | \
             type the value again, in one script"
        )
    };
    for (written, name) in [
        ("\"a\\u200bb\"", "U+200B"),
        ("\"a\\_b\"", "U+00A0"),
        ("\"a\\x1b[31m\"", "U+001B"),
        ("\"a\\0\"", "U+0000"),
        ("\"é\\u200b\"", "U+200B"),
    ] {
        assert_eq!(shown("Y005", "", &comment(written)), [reported(written, name)]);
        assert_eq!(fixed("Y005", "", &comment(written)), None, "{written}");
    }
    // A character that is visible in the file is already reported.
    let both = messages("Y005", "", &comment("\"a\u{200b}b \\u200b\""));
    assert_eq!(both, ["U+200B is an invisible character"]);
}

#[test]
fn look_alikes_are_found_within_a_word_only() {
    let reported = |word: &str, scripts: &str| {
        format!(
            "8 `{word}` | the word `{word}` mixes {scripts} letters that look alike | \
             type the value again, in one script"
        )
    };
    for (word, scripts) in [
        ("V\u{456}ewer", "Latin and Cyrillic"),
        ("\u{3b1}dmin", "Latin and Greek"),
        ("\u{1f00}dmin", "Latin and Greek"),
        ("\u{24f}\u{52f}", "Latin and Cyrillic"),
        ("\u{430}\u{3b1}", "Cyrillic and Greek"),
        ("V\u{430}\u{3b1}", "Latin and Cyrillic"),
    ] {
        assert_eq!(shown("Y005", "", &comment(word)), [reported(word, scripts)]);
        assert_eq!(fixed("Y005", "", &comment(word)), None, "{word}");
    }
    let in_a_line = messages("Y005", "", &comment("for the V\u{456}ewer, all"));
    assert_eq!(
        in_a_line,
        ["the word `V\u{456}ewer` mixes Latin and Cyrillic letters that look alike"]
    );
    for text in [
        "\u{41a}\u{43b}\u{44e}\u{447} API",
        "\u{41a}\u{43b}\u{44e}\u{447}1",
        "\u{3b1}2",
        "\u{3b1}\u{3b2} beta \u{41a}",
        "Größe",
        "日本key",
    ] {
        assert_eq!(messages("Y005", "", &comment(text)), [""; 0], "{text}");
    }
}

#[test]
fn too_many_documents_are_reported_at_the_second() {
    let policy = "rules: { Y007: { enabled: true } }\n";
    assert_eq!(messages("Y007", policy, KEY), [""; 0]);
    let three = format!("{KEY}---\n{KEY}---\n{KEY}");
    let reported = "16 `apiVersion: cortexkey/v1` | the file has 3 documents; the second starts in line 16 | move each definition to its own file | `true`: required here";
    assert_eq!(shown("Y007", policy, &three), [reported]);
    assert_eq!(messages("Y007", "", &three), [""; 0]);
    // A document that is shorter than its line.
    let short = format!("{KEY}--- no # what\n");
    let reported = shown("Y007", policy, &short);
    wording!(reported[0]);
}

/// Each finding about line endings: offset, length, message.
fn ends(text: &str) -> Vec<(usize, usize, String)> {
    let findings =
        lint_text("", text).findings.into_iter().filter(|finding| finding.rule.code() == "Y008");
    let place = |range: core::ops::Range<usize>| (range.start, range.end - range.start);
    findings
        .map(|finding| (place(finding.location.span.range()), finding.message))
        .map(|((at, length), message)| (at, length, message))
        .collect()
}

const LONE: &str = "this is a lone CR, which many tools do not accept as a line ending";
const MIXED: &str = "some lines end with CR LF and others with LF";
const MARK: &str = "the file starts with a byte order mark";
const OPEN: &str = "the last line has no line ending";
const TAB: &str = "this is a tab";

#[test]
fn line_endings_are_consistent() {
    for (text, found, left) in [
        ("a: b\r\nc: d\r\n", vec![], None),
        ("a: b\nc: d\n", vec![], None),
        ("", vec![], None),
        // The first line ending of the second kind is reported.
        ("a: b\r\nc: d\n", vec![(10, 1, MIXED)], Some("a: b\nc: d\n")),
        ("a: b\nc: d\r\n", vec![(9, 1, MIXED)], Some("a: b\nc: d\n")),
        ("\na: b\r\n", vec![(5, 1, MIXED)], Some("\na: b\n")),
        ("\r\na: b\n", vec![(6, 1, MIXED)], Some("\na: b\n")),
        ("a: b\nc: d\r\ne: f\r\ng: h\n", vec![(9, 1, MIXED)], Some("a: b\nc: d\ne: f\ng: h\n")),
        ("a: b\r\nc: d\ne: f\ng: h\r\n", vec![(10, 1, MIXED)], Some("a: b\nc: d\ne: f\ng: h\n")),
        // A lone CR takes precedence over two kinds.
        ("a: b\rc: d\n", vec![(4, 1, LONE)], Some("a: b\nc: d\n")),
        ("a: b\nc: d\r", vec![(9, 1, LONE)], Some("a: b\nc: d\n")),
        ("a: b\n\rc: d\n", vec![(5, 1, LONE)], Some("a: b\n\nc: d\n")),
        ("\ra: b\rc: d\n", vec![(0, 1, LONE)], Some("\na: b\nc: d\n")),
        ("a: b\r\nc: d\re: f\n", vec![(10, 1, LONE)], Some("a: b\nc: d\ne: f\n")),
        ("\u{feff}a: b\n", vec![(0, 3, MARK)], Some("a: b\n")),
        ("a: b", vec![(4, 0, OPEN)], Some("a: b\n")),
        ("a: b\r\nc: d", vec![(10, 0, OPEN)], Some("a: b\r\nc: d\r\n")),
    ] {
        let wanted: Vec<_> = found
            .into_iter()
            .map(|(at, length, message)| (at, length, message.to_owned()))
            .collect();
        assert_eq!(ends(text), wanted, "{text:?}");
        assert_eq!(fixed("Y008", "", text).as_deref(), left, "{text:?}");
    }
}

#[test]
fn a_tab_becomes_a_space_where_it_is_no_part_of_a_text_or_a_comment() {
    for (text, at, left) in [
        ("a: b\t# c\n", 4, Some("a: b # c\n")),
        ("a:\tb\n", 2, Some("a: b\n")),
        ("a: [b,\tc]\t\n", 6, Some("a: [b, c] \n")),
        ("a: \"b\tc\"\t# d\te\n", 5, Some("a: \"b\tc\" # d\te\n")),
        ("a: b\tc\n", 4, None),
        ("a: \"b\tc\"\n", 5, None),
        ("a: b # c\td\n", 8, None),
        ("a: | # c\n  d\te\nf: g\n", 12, None),
        ("a: |\n  d\te\nf:\tg\n", 8, Some("a: |\n  d\te\nf: g\n")),
    ] {
        assert_eq!(ends(text), [(at, 1, TAB.to_owned())], "{text:?}");
        assert_eq!(fixed("Y008", "", text).as_deref(), left, "{text:?}");
    }
}

#[test]
fn all_line_ending_faults_are_reported() {
    let text = "\u{feff}a: b\r\nc:\td\ne: f";
    let found: Vec<String> = ends(text).into_iter().map(|(_, _, message)| message).collect();
    assert_eq!(found, [MARK, TAB, MIXED, OPEN]);
    let reported = shown("Y008", "", "a: b");
    assert_eq!(
        reported,
        [format!("1 `` | {OPEN} | save the file with plain line endings and spaces")]
    );
}
