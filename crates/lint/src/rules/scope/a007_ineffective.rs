//! A007 scope-ineffective: areas of the scope that contradict each other.

use cortexkey_core::access::{AreaMode, EndpointMode, Unreferenced};
use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "A007",
    name: "scope-ineffective",
    severity: Severity::Warning,
    summary: "areas of the scope that contradict each other",
    why: "Areas are combined with AND: a case is visible if its domain is in scope and one of its \
          assets is. A scope that selects domains but no assets shows nothing. Cases of the domain \
          Security on assets with an agent depend on the endpoint scope: if it includes all \
          endpoints, all of these cases are visible, whatever the asset groups are.",
    bad: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: none }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    good: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    remedy: "Add the assets that the cases are about to the scope, or set `casesAndIssues` to \
           `mode: none`. If you select assets, select endpoints too.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    let (Some(assets), Some(cases), Some(endpoints)) =
        (scope.assets.get(), scope.cases.get(), scope.endpoints.get())
    else {
        return;
    };
    let modes = (assets.mode.spanned(), cases.mode.spanned(), endpoints.mode.spanned());
    let (Some(of_assets), Some(of_cases), Some(of_endpoints)) = modes else { return };
    if of_cases.value == AreaMode::None {
        return;
    }
    let domains = cases.domains.get().map(Vec::as_slice).unwrap_or_default();
    let security = of_cases.value == AreaMode::All || domains.iter().any(|d| d.value == "Security");
    let by_endpoints = security && of_endpoints.value != EndpointMode::None;
    let unreferenced = cases.unreferenced.get() != Some(&Unreferenced::No);
    let finding = if of_assets.value == AreaMode::None && !by_endpoints && !unreferenced {
        let message = "no assets are in scope, so no case and no issue is visible";
        cx.finding(of_assets.span, message)
            .help(
                "select the asset groups that the cases are about, or write `mode: none` for both",
            )
            .also(of_cases.span, "allows cases")
    } else if security
        && of_endpoints.value == EndpointMode::All
        && of_assets.value != AreaMode::All
    {
        let message = "all endpoints are in scope, so all of their Security cases are visible";
        cx.finding(of_endpoints.span, message)
            .help("select the endpoints that belong to the selected assets")
            .also(of_assets.span, "does not limit these cases")
    } else {
        return;
    };
    finding.report(sink);
}
