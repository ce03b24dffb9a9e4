//! What `go doc -all` prints, as Markdown: a heading for each function and type, its declaration, its text.

/// The documentation of a package.
pub(super) fn markdown(title: &str, doc: &str) -> String {
    let mut out = format!("# {title}\n");
    let mut lines = doc.lines().peekable();
    let mut is_package = true;
    while let Some(line) = lines.next() {
        if let Some(section) = section(line) {
            is_package = false;
            out += &format!("\n## {section}\n");
        } else if let Some(import) = line.strip_prefix("package ") {
            let path = import.split('"').nth(1).unwrap_or(import);
            out += &format!("\n```go\nimport \"{path}\"\n```\n");
        } else if is_package {
            // Text of the package: flush left, with code indented.
            match line.strip_prefix("# ") {
                Some(heading) => out += &format!("\n## {heading}\n"),
                None => out += &(prose(line) + "\n"),
            }
        } else if line.starts_with(' ') || line.is_empty() {
            out += &(prose(line.strip_prefix("    ").unwrap_or(line)) + "\n");
        } else {
            let mut declaration = line.to_owned();
            if let Some(close) = match line.chars().last() {
                Some('{') => Some("}"),
                Some('(') => Some(")"),
                _ => None,
            } {
                for inner in lines.by_ref() {
                    declaration += &format!("\n{inner}");
                    if inner.starts_with(close) {
                        break;
                    }
                }
            }
            if let Some(name) = name(&declaration) {
                out += &format!("\n### {name}\n");
            }
            out += &format!("\n```go\n{declaration}\n```\n\n");
        }
    }
    out
}

fn section(line: &str) -> Option<&'static str> {
    Some(match line {
        "CONSTANTS" => "Constants",
        "VARIABLES" => "Variables",
        "FUNCTIONS" => "Functions",
        "TYPES" => "Types",
        _ => return None,
    })
}

/// `NewSigner`, `Signer.Close`, `Signer`; none for a group.
fn name(declaration: &str) -> Option<String> {
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    if let Some(method) = declaration.strip_prefix("func (") {
        let (receiver, rest) = method.split_once(") ")?;
        let of = receiver.rsplit(' ').next()?.trim_start_matches('*');
        return Some(format!("{}.{}", word(of), word(rest)));
    }
    let rest = declaration.strip_prefix("func ").or_else(|| declaration.strip_prefix("type "))?;
    Some(word(rest))
}

/// Text without markup; indented code stays.
fn prose(line: &str) -> String {
    if line.starts_with("    ") {
        return line.to_owned();
    }
    line.replace('<', "\\<").replace('*', "\\*").replace('_', "\\_").replace('[', "\\[")
}

#[cfg(test)]
mod tests {
    #[test]
    fn declarations_get_a_heading_and_their_text() {
        let doc = "package a // import \"example.org/a\"\n\nPackage a is *one*.\n\n    code()\n\n\
                   TYPES\n\ntype T struct {\n\t// A field.\n\tF int\n}\n    T is a type.\n\n\
                   func (t *T) Close() error\n    Close closes.\n";
        let expected = "# A\n\n```go\nimport \"example.org/a\"\n```\n\nPackage a is \\*one\\*.\n\n    code()\n\n\
                        \n## Types\n\n\n### T\n\n```go\ntype T struct {\n\t// A field.\n\tF int\n}\n```\n\n\
                        T is a type.\n\n\n### T.Close\n\n```go\nfunc (t *T) Close() error\n```\n\nClose closes.\n";
        assert_eq!(super::markdown("A", doc), expected);
    }
}
