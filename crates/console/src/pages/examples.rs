//! *View Examples*: the first call of a key in six languages, with the key's own id, level and host.

use cortexkey_client::{Language, RequestExample};
use maud::html;

use super::find::{SelectedKey, find_key};
use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault};
use crate::response::Response;

/// The examples of a key.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let SelectedKey { row, .. } = match find_key(app, request) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let mut example = RequestExample::default();
    example.address = Some(app.options.client.address().clone());
    example.key_id = Some(row.record.key_id);
    example.level = Some(row.record.level);
    example.ca_file.clone_from(&app.options.ca_file);
    let title = format!("Examples for key {}", row.record.key_id);
    let path = format!("/keys/{}", row.record.key_id);
    let trail = [("API Keys", "/keys"), ("Key", path.as_str())];
    let frame = Frame { trail: &trail, ..Frame::new(&title, "/keys") };
    let content = html! {
        p class="hint" {
            "The key itself comes from the environment (" code { "CORTEXKEY_API_KEY" } "), where a \
             secret store puts it; no example contains it."
        }
        div {
            @for language in Language::ALL {
                @let id = format!("example-{language}");
                section id=(id) {
                    h2 { (name(language)) }
                    @match example.text(language) {
                        Ok(text) => {
                            div class="submit" {
                                button type="button" hidden data-copy-from={ (id) "-text" } data-what="the example" {
                                    "Copy"
                                }
                                @if !language.is_tested() {
                                    span class="hint" { "Not run by the tests of this project." }
                                }
                            }
                            pre id={ (id) "-text" } tabindex="0" { (text) }
                        }
                        Err(error) => (fault("There is no such example.", &error.to_string())),
                    }
                }
            }
        }
    };
    layout::page(app, request, &frame, &content)
}

fn name(language: Language) -> &'static str {
    match language {
        Language::Curl => "curl",
        Language::Python => "Python",
        Language::Go => "Go",
        Language::C => "C",
        Language::Rust => "Rust",
        Language::PowerShell => "PowerShell",
        other => other.as_str(),
    }
}
