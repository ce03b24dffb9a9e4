#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Holds the access evaluator against a naive one, written before the evaluator was read.

/// The naive evaluator: the rules as sentences say them, with owned data and plain loops.
mod naive {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Sbac {
        On,
        Off,
        Unknown,
    }

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Answer {
        Allowed,
        Refused,
        Unknown,
    }

    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum Area {
        None,
        All,
        Select(Vec<String>),
    }

    impl Area {
        fn has(&self, one: &str) -> bool {
            match self {
                Area::None => false,
                Area::All => true,
                Area::Select(list) => list.iter().any(|held| held == one),
            }
        }

        fn has_one_of(&self, some: &[String]) -> bool {
            *self == Area::All || some.iter().any(|one| self.has(one))
        }
    }

    /// One of the two axes of an endpoint scope.
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum Axis {
        NoScope,
        SeeAll,
        Any,
        Scope(Vec<String>),
    }

    #[derive(Clone, Debug)]
    pub struct Tenant {
        pub sbac: Sbac,
        pub restrictive: bool,
    }

    #[derive(Clone, Debug)]
    pub struct Scope {
        pub assets: Area,
        pub domains: Area,
        pub unreferenced: bool,
        pub groups: Axis,
        pub tags: Axis,
        pub datasets: bool,
        /// Dataset, field, the value it must have.
        pub filters: Vec<(String, String, String)>,
    }

    #[derive(Clone, Debug)]
    pub struct Endpoint {
        pub groups: Vec<String>,
        pub tags: Vec<String>,
    }

    #[derive(Clone, Debug)]
    pub struct Asset {
        pub groups: Vec<String>,
    }

    #[derive(Clone, Debug)]
    pub struct Issue {
        pub domain: String,
        /// Whether it is on an asset with an agent.
        pub agent: bool,
        /// Whether its asset was deleted.
        pub deleted: bool,
        /// Only the known ones.
        pub assets: Vec<Asset>,
        /// Only the known ones.
        pub endpoints: Vec<Endpoint>,
    }

    #[derive(Clone, Debug)]
    pub struct Case {
        pub domain: String,
        pub issues: Vec<Issue>,
    }

    #[derive(Clone, Debug)]
    pub struct Row {
        pub dataset: String,
        pub fields: Vec<(String, String)>,
    }

    #[derive(Clone, Debug)]
    pub enum Thing {
        Asset(Asset),
        /// On this asset.
        Finding(Asset),
        Issue(Issue),
        Case(Case),
        Endpoint(Endpoint),
        Manage(Endpoint),
        Row(Row),
    }

    pub fn visible(tenant: &Tenant, scope: Option<&Scope>, thing: &Thing) -> Answer {
        if tenant.sbac == Sbac::Off {
            return Answer::Allowed;
        }
        let seen = match scope {
            None => false,
            Some(scope) => in_scope(tenant, scope, thing),
        };
        match (seen, tenant.sbac) {
            (true, _) => Answer::Allowed,
            (false, Sbac::On) => Answer::Refused,
            (false, _) => Answer::Unknown,
        }
    }

    fn in_scope(tenant: &Tenant, scope: &Scope, thing: &Thing) -> bool {
        match thing {
            Thing::Asset(asset) | Thing::Finding(asset) => asset_in(scope, asset),
            Thing::Endpoint(endpoint) | Thing::Manage(endpoint) => {
                endpoint_in(tenant, scope, endpoint)
            }
            Thing::Issue(issue) => issue_in(tenant, scope, issue),
            Thing::Case(case) => case_in(tenant, scope, case),
            Thing::Row(row) => row_in(scope, row),
        }
    }

    fn asset_in(scope: &Scope, asset: &Asset) -> bool {
        scope.assets.has_one_of(&asset.groups)
    }

    fn endpoint_in(tenant: &Tenant, scope: &Scope, endpoint: &Endpoint) -> bool {
        let group_fits = match &scope.groups {
            Axis::NoScope => false,
            Axis::SeeAll | Axis::Any => true,
            Axis::Scope(groups) => endpoint.groups.iter().any(|group| groups.contains(group)),
        };
        let tags_fit = match &scope.tags {
            Axis::NoScope => false,
            Axis::SeeAll | Axis::Any => true,
            Axis::Scope(_) if endpoint.tags.is_empty() => false,
            Axis::Scope(tags) if tenant.restrictive => {
                endpoint.tags.iter().all(|tag| tags.contains(tag))
            }
            Axis::Scope(tags) => endpoint.tags.iter().any(|tag| tags.contains(tag)),
        };
        group_fits && tags_fit
    }

    fn issue_in(tenant: &Tenant, scope: &Scope, issue: &Issue) -> bool {
        if !scope.domains.has(&issue.domain) {
            return false;
        }
        if issue.deleted {
            return true;
        }
        if issue.assets.is_empty() && issue.endpoints.is_empty() {
            return scope.unreferenced;
        }
        if asks_endpoints(issue) {
            issue.endpoints.iter().any(|one| endpoint_in(tenant, scope, one))
        } else {
            issue.assets.iter().any(|one| asset_in(scope, one))
        }
    }

    fn asks_endpoints(issue: &Issue) -> bool {
        issue.domain == "Security" && issue.agent
    }

    fn case_in(tenant: &Tenant, scope: &Scope, case: &Case) -> bool {
        if !scope.domains.has(&case.domain) {
            return false;
        }
        let mut assets = Vec::new();
        let mut endpoints = Vec::new();
        let (mut asked_assets, mut asked_endpoints, mut deleted) = (false, false, false);
        for issue in &case.issues {
            if issue.deleted {
                deleted = true;
            } else if issue.assets.is_empty() && issue.endpoints.is_empty() {
                // References nothing known: asks no area.
            } else if asks_endpoints(issue) {
                asked_endpoints = true;
                endpoints.extend(issue.endpoints.clone());
            } else {
                asked_assets = true;
                assets.extend(issue.assets.clone());
            }
        }
        if !asked_assets && !asked_endpoints {
            return deleted || scope.unreferenced;
        }
        let assets_hold = !asked_assets || assets.iter().any(|one| asset_in(scope, one));
        let endpoints_hold =
            !asked_endpoints || endpoints.iter().any(|one| endpoint_in(tenant, scope, one));
        assets_hold && endpoints_hold
    }

    fn row_in(scope: &Scope, row: &Row) -> bool {
        if !scope.datasets {
            return false;
        }
        for (dataset, field, value) in &scope.filters {
            let equal = row.fields.iter().any(|(name, held)| name == field && held == value);
            if *dataset == row.dataset && !equal {
                return false;
            }
        }
        true
    }

    #[derive(Clone, Debug)]
    pub struct Role {
        /// Only the known components; 0 none, 1 view, 2 edit.
        pub components: Vec<(String, u8)>,
        /// Nothing when not known.
        pub actions: Option<Vec<String>>,
    }

    pub fn component(roles: &[Role], name: &str, wanted: u8) -> Answer {
        let mut answer = Answer::Refused;
        for role in roles {
            match role.components.iter().find(|(held, _)| held == name) {
                Some((_, level)) if *level >= wanted => return Answer::Allowed,
                Some(_) => {}
                None => answer = Answer::Unknown,
            }
        }
        answer
    }

    pub fn action(roles: &[Role], name: &str) -> Answer {
        let mut answer = Answer::Refused;
        for role in roles {
            match &role.actions {
                Some(held) if held.iter().any(|one| one == name) => return Answer::Allowed,
                Some(_) => {}
                None => answer = Answer::Unknown,
            }
        }
        answer
    }
}
