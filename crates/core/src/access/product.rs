//! [`Product`]: the vendor's products. Differences between versions of a product are settings of
//! the tenant.

use core::fmt;
use core::str::FromStr;

/// A product with API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// Cortex XSOAR 8.
    Xsoar8,
    /// Cortex XSIAM.
    Xsiam,
    /// Cortex XDR 5.
    Xdr5,
    /// Cortex Cloud.
    CortexCloud,
    /// Cortex AgentiX.
    Agentix,
    /// Cortex Xpanse.
    Xpanse,
}

impl Product {
    /// All products.
    pub const ALL: [Self; 6] =
        [Self::Xsoar8, Self::Xsiam, Self::Xdr5, Self::CortexCloud, Self::Agentix, Self::Xpanse];

    /// The name in policies, such as `xsoar-8`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xsoar8 => "xsoar-8",
            Self::Xsiam => "xsiam",
            Self::Xdr5 => "xdr-5",
            Self::CortexCloud => "cortex-cloud",
            Self::Agentix => "agentix",
            Self::Xpanse => "xpanse",
        }
    }

    /// Whether all its predefined roles are published, so that any other name is a mistake.
    pub const fn publishes_roles(self) -> bool {
        matches!(self, Self::Xsoar8 | Self::Xsiam | Self::Xdr5 | Self::CortexCloud)
    }

    /// Whether its keys have scopes (SBAC) as modelled here. XSOAR 8 has none, and Xpanse has an
    /// older model.
    pub const fn has_scopes(self) -> bool {
        !matches!(self, Self::Xsoar8 | Self::Xpanse)
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Product {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|product| product.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn what_each_product_publishes_and_has() {
        let facts =
            Product::ALL.map(|product| (product, product.publishes_roles(), product.has_scopes()));
        assert_eq!(
            facts,
            [
                (Product::Xsoar8, true, false),
                (Product::Xsiam, true, true),
                (Product::Xdr5, true, true),
                (Product::CortexCloud, true, true),
                (Product::Agentix, false, true),
                (Product::Xpanse, false, false),
            ]
        );
    }

    #[test]
    fn names_convert_back() {
        for product in Product::ALL {
            assert_eq!(product.to_string().parse(), Ok(product));
        }
        assert_eq!("xdr".parse::<Product>(), Err(()));
    }
}
