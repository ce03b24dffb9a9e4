//! Declares the options of a rule, from which its reader, page and schema derive.

/// Declares the options of a rule: a struct that holds what is in force, and its `DOCS`, from which
/// the policy reader, the rule's page and the schema derive. Each field has its description, its name
/// in policies where that differs, its type, its default, and which value is stricter.
macro_rules! rule_options {
    (struct $name:ident $(<$life:lifetime>)? {
        $(#[doc = $doc:literal]
        $field:ident $(as $policy_name:literal)?: $type:ty $(= $default:literal)?, $tighter:ident;)+
    }) => {
        pub(crate) struct $name $(<$life>)? {
            $(#[doc = $doc]
            pub(crate) $field: $crate::policy::InForce<$type>,)+
        }

        impl $(<$life>)? $name $(<$life>)? {
            const DOCS: &'static [$crate::policy::OptionDoc] = &[$($crate::policy::OptionDoc {
                name: $crate::policy::rule_options!(@name $field $($policy_name)?),
                kind: <$type as $crate::policy::OptionField<'_>>::TYPE,
                default: $crate::policy::rule_options!(@default $($default)?),
                what: $doc.trim_ascii_start(),
                tighter: $crate::policy::StricterWhen::$tighter,
            },)+];

            /// What is in force.
            pub(crate) fn of(settings: &$($life)? $crate::policy::Settings) -> Self {
                Self {
                    $($field: settings
                        .option($crate::policy::rule_options!(@name $field $($policy_name)?)),)+
                }
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $policy_name:literal) => { $policy_name };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

pub(crate) use rule_options;
