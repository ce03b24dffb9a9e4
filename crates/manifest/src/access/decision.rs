//! [`KeyAccess::decide`]: the answer to a question about a key, the same for every front end.

use cortexkey_core::access::{AccessKey, Answer, Decision, Question, Unreferenced, decide};

use super::{KeyAccess, ScopeModel};

impl KeyAccess {
    /// Answers a question. There is no decision behind the answer if the product has no scopes of
    /// the form that the core knows.
    ///
    /// If it is unknown whether the scope includes issues that reference no known object, and the
    /// answer
    /// depends on it, the answer is unknown.
    #[must_use]
    pub fn decide<'a>(&'a self, question: &Question<'a>) -> (Answer, Option<Decision<'a>>) {
        match self.tenant.scopes {
            ScopeModel::NoScopes if question.is_about_scope() => return (Answer::Allowed, None),
            ScopeModel::Older if question.is_about_scope() => return (Answer::Unknown, None),
            _ => {}
        }
        let key = self.key();
        let tenant = &self.tenant.settings;
        let decision = decide(&key, tenant, question);
        let mut answer = decision.answer();
        if let Some(scope) = key.scope
            && scope.cases_and_issues.unreferenced == Unreferenced::Unknown
        {
            let mut open = scope.clone();
            open.cases_and_issues.unreferenced = Unreferenced::Yes;
            let open = AccessKey { scope: Some(&open), ..key };
            if decide(&open, tenant, question).answer() != answer {
                answer = Answer::Unknown;
            }
        }
        (answer, Some(decision))
    }
}
