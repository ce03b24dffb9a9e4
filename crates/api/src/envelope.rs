//! The envelopes of most requests and responses: [`RequestData`], [`Reply`] and [`Data`].

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

/// `{"data": …}`: the body of the answers of the platform's own calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data<T> {
    /// What is answered.
    pub data: T,
}

/// What the platform's own calls say when something was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// A sentence.
    pub message: String,
}
