//! [`Member`]: one tenant's part in the shared guard, without any I/O: what it sends to the script,
//! and what it may conclude from the answers.
//!
//! The script next to this file explains how the guard works as a whole. Times named `at_ms` are
//! milliseconds on this process's own clock, which cannot be set; all others are milliseconds since
//! 1970.

use std::collections::VecDeque;

use super::ranges::Ranges;

/// How long a look is valid, from its start. Without a valid look nothing is accepted.
pub(super) const POLL_VALID_MS: u64 = 2_000;
/// How long a member waits before it accepts in a range that it has announced: by then, every other
/// member that accepts anything has looked, and knows the range.
const NOTICE_MS: u64 = POLL_VALID_MS + 500;
/// How far ahead the disk is written, so that it is seldom written.
const SAVE_STEP_MS: u64 = 8_000;
/// The script uses floating point; no timestamp is above this.
const TIME_MAX_MS: u64 = 9_999_999_999_999;

/// A tenant that shares the guard.
pub(super) struct Member {
    /// Its identity, drawn at random.
    name: String,
    skew_ms: u64,
    known: Known,
    /// The part that is on disk.
    saved: Option<Known>,
    /// How many uses the guard had accepted when this member last looked.
    accepted: u64,
    /// Keys created from this time on cannot have been used in another generation.
    young_from_ms: u64,
    /// The latest time that this tenant's clock ever showed.
    furthest_ms: u64,
    /// The ranges noted at some times, the earliest first, and the ranges that were noted long
    /// enough ago.
    noted: VecDeque<(u64, Ranges)>,
    usable: Ranges,
    good_until_ms: u64,
}

/// What a member knows about the guard, and must not forget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// How often data was lost; 0 before the first look.
    generation: u64,
    /// Distinguishes generations with the same number.
    id: String,
    /// The largest skew of a member.
    widest_ms: u64,
    /// Where uses may have been accepted, by this member or another.
    taken: Ranges,
}

/// The script's answer to a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberReply {
    Accepted,
    Replayed,
    Forgotten,
    Starting,
    /// The server is a replica.
    Replica,
    /// The generation has changed: look, and try again.
    Join,
}

/// A use, as the guard sees it.
#[derive(Clone, Copy)]
pub(super) struct GuardedUse {
    pub(super) timestamp_ms: u64,
    pub(super) key_created_ms: u64,
    pub(super) tag: [u8; 16],
}

impl Known {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let known = Self {
            generation: parts.next()?.parse().ok()?,
            id: parts.next()?.to_owned(),
            widest_ms: parts.next()?.parse().ok()?,
            taken: Ranges::parse(parts.next()?)?,
        };
        parts.next().is_none().then_some(known)
    }

    #[cfg(test)]
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn text(&self) -> String {
        format!("{} {} {} {}", self.generation, self.id, self.widest_ms, self.taken.text())
    }
}

impl Member {
    /// A member whose disk has this state.
    pub(super) fn new(name: String, skew_ms: u64, now_ms: u64, saved: Option<Known>) -> Self {
        Self {
            name,
            skew_ms,
            known: saved.clone().unwrap_or_default(),
            saved,
            accepted: 0,
            young_from_ms: now_ms,
            furthest_ms: now_ms,
            noted: VecDeque::new(),
            usable: Ranges::default(),
            good_until_ms: 0,
        }
    }

    /// The arguments of a look; `new_id` is random each time.
    pub(super) fn poll(&mut self, now_ms: u64, new_id: String) -> Vec<String> {
        let now_ms = now_ms.min(TIME_MAX_MS);
        self.furthest_ms = self.furthest_ms.max(now_ms);
        let mut arguments = self.arguments("look");
        arguments.extend([self.name.clone(), now_ms.to_string(), self.skew_ms.to_string()]);
        arguments.extend([self.known.widest_ms.to_string(), new_id, self.known.taken.text()]);
        arguments
    }

    /// Processes the answer to a look. The result must be on disk before [`rely_on`](Self::rely_on)
    /// is called; `Err` if the answer is not one of the script's.
    pub(super) fn apply_poll(
        &mut self,
        answer: &[String],
        received_at_ms: u64,
    ) -> Result<Option<Known>, PollError> {
        let known = match answer {
            [word] if word == "replica" => return Err(PollError::Replica),
            [word, generation, id, _, widest, taken] if word == "looked" => Known {
                generation: generation.parse().map_err(|_| PollError::Strange)?,
                id: id.clone(),
                widest_ms: widest.parse().map_err(|_| PollError::Strange)?,
                taken: Ranges::parse(taken).ok_or(PollError::Strange)?,
            },
            _ => return Err(PollError::Strange),
        };
        let accepted = answer[3].parse().map_err(|_| PollError::Strange)?;
        if known.id == self.known.id {
            self.accepted = self.accepted.max(accepted);
        } else {
            // At the first look of a process, none of its own keys has been used.
            if self.good_until_ms > 0 {
                self.young_from_ms = self.furthest_ms.saturating_add(1);
            }
            self.accepted = accepted;
            self.noted.clear();
            self.usable = Ranges::default();
        }
        let taken = known.taken.clone();
        // The script has everything that was reported to it, so nothing is lost here.
        self.known = known;
        self.age(received_at_ms);
        if self.noted.back().is_none_or(|(_, last)| *last != taken) {
            self.noted.push_back((received_at_ms, taken));
        }
        Ok(self.to_save())
    }

    /// Records that the result of a look is on disk, so that the look is valid from its start.
    pub(super) fn rely_on(&mut self, saved: Option<Known>, began_at_ms: u64) {
        self.saved = saved.or(self.saved.take());
        self.good_until_ms = began_at_ms.saturating_add(POLL_VALID_MS).max(1);
    }

    /// Invalidates the last look until the next good one.
    pub(super) fn invalidate_poll(&mut self) {
        self.good_until_ms = self.good_until_ms.min(1);
    }

    pub(super) fn is_good(&self, at_ms: u64) -> bool {
        at_ms < self.good_until_ms
    }

    /// The arguments for checking a use; without them it is refused with the returned reason.
    pub(super) fn ask(
        &mut self,
        asked: &GuardedUse,
        now_ms: u64,
        at_ms: u64,
    ) -> Result<Vec<String>, MemberReply> {
        self.age(at_ms);
        // Only this process knows a young key.
        let may = if self.is_young(asked) { &self.known.taken } else { &self.usable };
        self.furthest_ms = self.furthest_ms.max(now_ms).max(asked.key_created_ms);
        if !may.contains(asked.timestamp_ms) {
            return Err(MemberReply::Starting);
        }
        let mut arguments = self.arguments("use");
        arguments.push(asked.timestamp_ms.to_string());
        Ok(arguments)
    }

    /// Whether a key cannot have been used before this generation.
    pub(super) fn is_young(&self, asked: &GuardedUse) -> bool {
        asked.key_created_ms >= self.young_from_ms
    }

    /// Processes the answer to a use.
    pub(super) fn answered(&mut self, answer: &[String]) -> Option<MemberReply> {
        Some(match answer {
            [word, accepted] if word == "accepted" => {
                self.accepted = self.accepted.max(accepted.parse().ok()?);
                MemberReply::Accepted
            }
            [word] => match word.as_str() {
                "replayed" => MemberReply::Replayed,
                "forgotten" => MemberReply::Forgotten,
                "starting" => MemberReply::Starting,
                "replica" => MemberReply::Replica,
                "join" => MemberReply::Join,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Makes ranges usable that were noted long enough ago.
    fn age(&mut self, at_ms: u64) {
        while self.noted.front().is_some_and(|(noted, _)| noted.saturating_add(NOTICE_MS) < at_ms) {
            self.usable = self.noted.pop_front().map(|(_, ranges)| ranges).unwrap_or_default();
        }
    }

    fn arguments(&self, call: &str) -> Vec<String> {
        let known = &self.known;
        let numbers = (known.generation.to_string(), self.accepted.to_string());
        vec![call.to_owned(), numbers.0, known.id.clone(), numbers.1]
    }

    /// The difference between the state and the disk.
    fn to_save(&self) -> Option<Known> {
        let is_saved = self.saved.as_ref().is_some_and(|saved| {
            saved.id == self.known.id
                && saved.widest_ms >= self.known.widest_ms
                && saved.taken.cover(&self.known.taken)
        });
        let taken = self.known.taken.rounded_up(SAVE_STEP_MS);
        (!is_saved).then(|| Known { taken, ..self.known.clone() })
    }
}

/// Why the answer to a look cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollError {
    Replica,
    Strange,
}
