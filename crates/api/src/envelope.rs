//! What most requests and answers are wrapped in: [`RequestData`] and [`Reply`].
//!
//! It refuses to know what is inside.

use serde::{Deserialize, Serialize};

/// `{"request_data": …}`: the body of most requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestData<T> {
    /// What is asked.
    pub request_data: T,
}

/// `{"reply": …}`: the body of most answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply<T> {
    /// What is answered.
    pub reply: T,
}
