//! The envelopes of most requests and responses: [`RequestData`], [`Reply`] and [`Data`].

use serde::{Deserialize, Serialize};

/// `{"request_data": …}`: the body of most requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestData<T> {
    /// The parameters.
    pub request_data: T,
}

/// `{"reply": …}`: the body of most responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply<T> {
    /// The result.
    pub reply: T,
}

/// `{"data": …}`: the body of responses of the platform's own calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data<T> {
    /// The result.
    pub data: T,
}

/// The platform's confirmation of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// A sentence.
    pub message: String,
}
