//! The form's markup: three tabs, which are sections with headings if there is no script.

use cortexkey_api::scope::AreaMode;
use cortexkey_core::auth::Level;
use maud::{Markup, html};

use super::check::Check;
use super::choices::{Choices, RoleChoice};
use super::fields::FormField;
use super::values::KeyForm;
use crate::parts::findings;

/// The purpose of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pages) enum Purpose {
    /// A new key.
    Generate,
    /// An existing key: its expiration cannot be changed, and its scope only as a whole.
    Edit,
}

/// The three tabs.
pub(in crate::pages) fn tabs(
    purpose: Purpose,
    form: &KeyForm,
    choices: &Choices,
    check: &Check,
) -> Markup {
    let sections = [
        ("tab-role", "Role", role_tab(purpose, form, choices, check)),
        ("tab-scope", "Scope", scope_tab(purpose, form, choices, check)),
        ("tab-definition", "Definition", definition_tab(form, check)),
    ];
    html! {
        div {
            div class="tabs" role="tablist" aria-label="Key" hidden {
                @for (id, title, _) in &sections {
                    button type="button" role="tab" id={ (id) "-tab" } aria-controls=(id)
                        data-open[check.focus().is_some_and(|at| tab_of(at) == *id)] { (title) }
                }
            }
            @for (id, title, content) in &sections {
                section id=(id) role="tabpanel" aria-labelledby={ (id) "-tab" } {
                    h2 { (title) }
                    (content)
                }
            }
        }
        div id="at-other" { (findings::list(check.at(FormField::Other))) }
    }
}

/// The tab with a field.
fn tab_of(field: FormField) -> &'static str {
    match field {
        FormField::Level | FormField::Expires | FormField::Roles | FormField::Comment => "tab-role",
        FormField::Scope
        | FormField::Assets
        | FormField::Cases
        | FormField::Endpoints
        | FormField::Datasets => "tab-scope",
        FormField::Name | FormField::Owner => "tab-definition",
        FormField::Other => "",
    }
}

/// The parts that a change of a field affects: the findings at each field, and the definition.
pub(in crate::pages) fn parts(check: &Check) -> Vec<(&'static str, Markup)> {
    let at = FormField::ALL.into_iter().map(|(at, id)| (id, findings::list(check.at(at))));
    at.chain([("yaml", html! { (check.yaml) })]).collect()
}

fn at(check: &Check, place: FormField) -> Markup {
    let id = FormField::ALL.iter().find(|(at, _)| *at == place).map_or("", |(_, id)| id);
    html! { div id=(id) { (findings::list(check.at(place))) } }
}

/// Whether a field gets the focus.
fn is_at(check: &Check, field: FormField) -> bool {
    check.focus() == Some(field)
}

fn role_tab(purpose: Purpose, form: &KeyForm, choices: &Choices, check: &Check) -> Markup {
    html! {
        div class="fields" {
            fieldset class="field" {
                legend { "Security Level" }
                @for (level, name, hint) in [
                    (Level::Advanced, "Advanced", "Each request is signed; a captured one works once."),
                    (Level::Standard, "Standard", "The key itself is sent with each request."),
                ] {
                    label class="pick" {
                        input type="radio" name="level" value=(level) checked[form.level == level]
                            autofocus[form.level == level && is_at(check, FormField::Level)];
                        span { (name) " " span class="hint" { (hint) } }
                    }
                }
                (at(check, FormField::Level))
            }
            @if purpose == Purpose::Generate { (expiration(form, check)) }
        }
        fieldset class="field" {
            legend { "Role" }
            @if let Some(why) = &choices.roles_fault {
                p class="bad" data-fault="roles" {
                    "The tenant's roles could not be read, so these are the roles of its keys and of \
                     the policy: " (why)
                }
            }
            div class="options" {
                @for (at, role) in choices.roles.iter().enumerate() {
                    @let has_focus = at == 0 && is_at(check, FormField::Roles);
                    (role_choice(role, form.roles.contains(&role.name), has_focus))
                }
            }
            (at(check, FormField::Roles))
        }
        div class="field" {
            label for="comment" { "Comment" }
            textarea id="comment" name="comment" maxlength="1024"
                autofocus[is_at(check, FormField::Comment)] { (form.comment) }
            span class="hint" { "Optional. The only text that the tenant keeps: anyone who lists keys reads it." }
            (at(check, FormField::Comment))
        }
    }
}

fn expiration(form: &KeyForm, check: &Check) -> Markup {
    html! {
        fieldset class="field" {
            legend { "Expiration" }
            div class="choice" {
                label class="pick" {
                    input type="checkbox" name="has-date" value="1" checked[form.has_date];
                    span { "Enable Expiration Date" }
                }
                div class="choices" {
                    div class="tools" {
                        label {
                            "Date "
                            input type="date" name="date" value=(form.date)
                                autofocus[is_at(check, FormField::Expires)];
                        }
                        label { "Time (UTC) " input type="time" name="time" value=(form.time); }
                    }
                }
            }
            span class="hint" { "Without a date, the API generates a key for one week." }
            (at(check, FormField::Expires))
        }
    }
}

fn role_choice(role: &RoleChoice, is_chosen: bool, has_focus: bool) -> Markup {
    html! {
        div class="role" {
            label class="pick" {
                input type="checkbox" name="role" value=(role.name) checked[is_chosen]
                    autofocus[has_focus];
                span {
                    (role.name)
                    @if role.privileged { " " span class="tag warn" { "privileged" } }
                    @if let Some(text) = &role.description { " " span class="hint" { (text) } }
                }
            }
            details {
                summary { "Components " span class="unseen" { "of " (role.name) } }
                div class="components" {
                    @if role.holds_all {
                        p { "Every component at edit, every action." }
                    } @else if !role.is_known {
                        p class="muted" { "Unknown: neither the policy's catalog nor the product's documents list it." }
                    } @else if role.components.is_empty() {
                        p class="muted" { "Nothing is known of its components." }
                    } @else {
                        dl class="facts" {
                            @for (component, level) in &role.components {
                                dt { (component) } dd { (level) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn scope_tab(purpose: Purpose, form: &KeyForm, choices: &Choices, check: &Check) -> Markup {
    html! {
        @if !choices.has_scopes {
            p class="warn" { "The keys of this product have no scopes of this form." }
        }
        label class="pick" {
            input type="checkbox" name="has-scope" value="1" checked[form.has_scope]
                autofocus[is_at(check, FormField::Scope)];
            span {
                @if purpose == Purpose::Edit {
                    "Replace the whole scope " span class="hint" {
                        "The tenant does not show whether cases and issues that reference no \
                         known object are in scope: set it below."
                    }
                } @else {
                    "Set the scope " span class="hint" {
                        "The API sets it in a second call; a key that cannot be scoped is deleted again."
                    }
                }
            }
        }
        (at(check, FormField::Scope))
        (area("Assets", &assets(form, choices, check)))
        (area("Cases and Issues", &cases_and_issues(form, choices, check)))
        (area("Endpoints", &endpoints(form, choices, check)))
        (datasets(form, check))
    }
}

fn assets(form: &KeyForm, choices: &Choices, check: &Check) -> Markup {
    let groups = html! {
        @if let Err(why) = choices.groups.as_ref() {
            p class="bad" { "The asset groups could not be read: " (why) }
        }
        div class="options" {
            @for group in choices.groups() {
                label class="pick" {
                    input type="checkbox" name="group" value=(group.id)
                        checked[form.groups.contains(&group.id)];
                    span { (group.name) }
                }
            }
            @for id in choices.unlisted_groups(form) {
                label class="pick" {
                    input type="checkbox" name="group" value=(id) checked;
                    span { "Group " (id) " " span class="hint" { "not listed by the tenant" } }
                }
            }
        }
        span class="hint" {
            "Groups that scopes can use: dynamic ones, built from scoping attributes alone."
        }
    };
    let titles = ["No assets", "All assets", "Select asset groups"];
    html! {
        (modes("assets", form.assets, titles, &groups, is_at(check, FormField::Assets)))
        (at(check, FormField::Assets))
    }
}

fn cases_and_issues(form: &KeyForm, choices: &Choices, check: &Check) -> Markup {
    let domains = names("domain", &choices.domains, &form.domains, "Other domains, one per line");
    let titles = ["No cases and issues", "All cases and issues", "Select domains"];
    html! {
        (modes("cases", form.cases, titles, &domains, is_at(check, FormField::Cases)))
        label class="pick" {
            input type="checkbox" name="unreferenced" value="1" checked[form.unreferenced];
            span {
                "Allow access to cases and issues that are not referencing known assets or endpoints"
            }
        }
        (at(check, FormField::Cases))
    }
}

fn endpoints(form: &KeyForm, choices: &Choices, check: &Check) -> Markup {
    let other_groups = "Endpoint groups, one per line";
    let other_tags = "Endpoint tags, one per line";
    let selection = html! {
        span class="label" { "Endpoint Groups" }
        (names("endpoint-group", &choices.endpoint_groups, &form.endpoint_groups, other_groups))
        span class="label" { "Endpoint Tags" }
        (names("endpoint-tag", &choices.endpoint_tags, &form.endpoint_tags, other_tags))
        span class="hint" {
            "At least one group or tag; with both, an endpoint must match both."
        }
    };
    let titles = ["No endpoints", "All endpoints", "Select specific"];
    html! {
        (modes("endpoints", form.endpoints, titles, &selection, is_at(check, FormField::Endpoints)))
        (at(check, FormField::Endpoints))
    }
}

fn area(title: &str, content: &Markup) -> Markup {
    html! { details class="area" open { summary { (title) } div { (content) } } }
}

/// The three options of an area; the last one opens the selection.
fn modes(
    name: &str,
    chosen: AreaMode,
    titles: [&str; 3],
    selection: &Markup,
    has_focus: bool,
) -> Markup {
    let [none, all, select] = titles;
    html! {
        @for (mode, title) in [(AreaMode::None, none), (AreaMode::All, all)] {
            label class="pick" {
                input type="radio" name=(name) value=(mode.as_str()) checked[chosen == mode]
                    autofocus[has_focus && chosen == mode];
                span { (title) }
            }
        }
        div class="choice" {
            label class="pick" {
                input type="radio" name=(name) value="select" checked[chosen == AreaMode::Select]
                    autofocus[has_focus && chosen == AreaMode::Select];
                span { (select) }
            }
            div class="choices" { (selection) }
        }
    }
}

/// Names to choose, and a field for unlisted names.
fn names(name: &str, known: &[String], chosen: &[String], label: &str) -> Markup {
    html! {
        @if !known.is_empty() {
            div class="options" {
                @for text in known {
                    label class="pick" {
                        input type="checkbox" name=(name) value=(text) checked[chosen.contains(text)];
                        span { (text) }
                    }
                }
            }
        }
        textarea name=(name) aria-label=(label) placeholder=(label) rows="2" {}
    }
}

fn datasets(form: &KeyForm, check: &Check) -> Markup {
    html! {
        details class="area" open[form.has_datasets] {
            summary { "Datasets Rows" }
            div {
                div class="choice" {
                    label class="pick" {
                        input type="checkbox" name="has-datasets" value="1" checked[form.has_datasets];
                        span { "The tenant scopes rows of datasets" }
                    }
                    div class="choices" {
                        @for (mode, title) in [(AreaMode::None, "No rows"), (AreaMode::All, "All rows")] {
                            label class="pick" {
                                input type="radio" name="datasets" value=(mode.as_str())
                                    checked[(form.datasets == AreaMode::All) == (mode == AreaMode::All)];
                                span { (title) }
                            }
                        }
                        label for="filters" { "Filters, one per line" }
                        textarea id="filters" name="filters" class="mono" spellcheck="false"
                            autofocus[is_at(check, FormField::Datasets)]
                            placeholder="xdr_data: _vendor = \"acme\"" { (form.filters) }
                    }
                }
                (at(check, FormField::Datasets))
            }
        }
    }
}

fn definition_tab(form: &KeyForm, check: &Check) -> Markup {
    html! {
        div class="fields" {
            div class="field" {
                label for="name" { "Name" }
                input id="name" name="name" value=(form.name) autocomplete="off" spellcheck="false"
                    autofocus[is_at(check, FormField::Name)];
                (at(check, FormField::Name))
            }
            div class="field" {
                label for="owner" { "Owner" }
                input id="owner" name="owner" value=(form.owner) autocomplete="off" spellcheck="false"
                    autofocus[is_at(check, FormField::Owner)];
                (at(check, FormField::Owner))
            }
        }
        div class="field" {
            div class="bar" {
                span class="label" { "The key's definition" }
                button type="button" hidden data-copy-from="yaml" data-what="the definition" { "Copy" }
            }
            pre id="yaml" tabindex="0" { (check.yaml) }
            span class="hint" {
                "For your repository, where the policy is checked. The tenant keeps neither name nor owner."
            }
        }
    }
}
