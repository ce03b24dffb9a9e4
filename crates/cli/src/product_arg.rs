//! Reads the name of a product from an argument.

use cortexkey_core::access::Product;
use cortexkey_manifest::closest;

use crate::exit::BoxError;

/// The product of a name.
pub(crate) fn product(text: &str) -> Result<Product, BoxError> {
    text.parse().map_err(|()| {
        let known = Product::ALL.map(Product::as_str);
        match closest(text, known) {
            Some(near) => format!("there is no such product (did you mean `{near}`?)").into(),
            None => {
                format!("there is no such product; expected one of {}", known.join(", ")).into()
            }
        }
    })
}
