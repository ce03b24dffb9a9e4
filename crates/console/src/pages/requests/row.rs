//! A request as a row: its result, and the reason.

use cortexkey_client::curl_command;
use cortexkey_tenant::LogLine;
use maud::{Markup, html};

use crate::app::App;
use crate::records::{span, time};

/// The row of a request.
pub(crate) fn row(app: &App, line: &LogLine) -> Markup {
    let when = time(line.time_ms);
    let clock = when.get(11..19).unwrap_or(&when);
    let address = app.options.client.address();
    let curl = curl_command(address, line.key_id, &line.method, &line.path);
    html! {
        tr data-request=(line.id) {
            th scope="row" class="number" { (line.id) }
            td class="time" title=(when) { (clock) }
            td class="key" {
                @match line.key_id {
                    Some(id) => a href={ "/keys/" (id) } { (id) },
                    None => span class="muted" { "unknown" },
                }
            }
            td { code { (line.method) " " (line.path) } }
            td { span class={ "tag " (status_class(line.status)) } { (line.status) } }
            td { (verdict(line)) }
            td class="time" {
                @match line.skew_ms { Some(ms) => (skew(ms)), None => span class="muted" { "—" } }
            }
            td class="time" { (line.took.as_micros()) " µs" }
            td class="more" {
                @if let Some(curl) = curl {
                    button type="button" hidden class="quiet" data-copy=(curl) data-what="the call for curl"
                        aria-label={ "Copy request " (line.id) " as curl" } { "curl" }
                }
            }
        }
    }
}

fn verdict(line: &LogLine) -> Markup {
    let class = if line.verdict.is_accept() { "" } else { "bad" };
    html! {
        span class={ "tag " (class) } { (line.verdict.code()) }
        @if let Some(observed) = line.observed {
            " " span class="tag warn" { "observed: " (observed.code()) }
        }
        @if let Some(earlier) = line.repeats { " " span class="hint" { "repeats " (earlier) } }
        @if line.hidden > 0 {
            " " span class="hint" { (line.hidden) " hidden by scope" }
        }
        @if has_reasons(line) {
            details class="why" { summary { "Why" } dl class="facts" { (reasons(line)) } }
        }
    }
}

fn has_reasons(line: &LogLine) -> bool {
    !line.verdict.is_accept()
        || line.observed.is_some()
        || line.reason.is_some()
        || !line.hidden_reasons.is_empty()
}

fn reasons(line: &LogLine) -> Markup {
    let said = line.observed.unwrap_or(line.verdict);
    html! {
        @if !said.is_accept() {
            dt { "Message" } dd { (said.message()) }
            dt { "Cause" } dd { (said.cause()) }
            dt { "Remedy" } dd { (said.remedy()) }
        }
        @if let Some(reason) = &line.reason { dt { "Refused since" } dd { (reason) } }
        @if !line.hidden_reasons.is_empty() {
            dt { "Scope" }
            dd { ul { @for reason in &line.hidden_reasons { li { (reason) } } } }
        }
    }
}

const fn status_class(status: u16) -> &'static str {
    match status {
        0..400 => "",
        400..500 => "warn",
        _ => "bad",
    }
}

/// How far a timestamp was from the emulator's clock, in words.
fn skew(ms: i64) -> String {
    const MINUTE_MS: u64 = 60_000;
    let size = ms.unsigned_abs();
    let words = match size {
        0..10_000 => format!("{size} ms"),
        10_000..MINUTE_MS => format!("{} s", size / 1000),
        _ => span(size),
    };
    match ms {
        0 => words,
        1.. => format!("{words} ahead"),
        _ => format!("{words} behind"),
    }
}

#[cfg(test)]
mod tests {
    use super::skew;

    #[test]
    fn skew_in_words() {
        for (ms, words) in [
            (0, "0 ms"),
            (412, "412 ms ahead"),
            (-3_000, "3000 ms behind"),
            (-59_999, "59 s behind"),
            (3_600_000, "1 hour ahead"),
            (i64::MIN, "106751991167 days behind"),
        ] {
            assert_eq!(skew(ms), words);
        }
    }
}
