//! Messages for Slack and Microsoft Teams. Strings from a tenant go into elements without markup,
//! so that no name or comment becomes a link, a mention or formatting.

use serde_json::{Value, json};

use crate::watch::message::NoticeMessage;

/// Slack takes 3,000 characters in a block.
const SLACK_CHARS_MAX: usize = 2900;

/// A message for Slack's incoming webhook.
pub(super) fn slack(message: &NoticeMessage, now_ms: u64) -> Value {
    let plain = |text: &str| {
        let text: String = text.chars().take(SLACK_CHARS_MAX).collect();
        json!({ "type": "plain_text", "text": text, "emoji": false })
    };
    let mut blocks = vec![json!({ "type": "header", "text": plain(&message.title()) })];
    for line in message.lines(now_ms) {
        blocks.push(json!({ "type": "section", "text": plain(&line) }));
    }
    if let Some(note) = message.repeat_note() {
        blocks.push(json!({ "type": "context", "elements": [plain(note)] }));
    }
    // The text is what notifications show; the title holds numbers and our own words only.
    json!({ "text": message.title(), "blocks": blocks })
}

/// A message for a webhook of Microsoft Teams: an Adaptive Card.
pub(super) fn teams(message: &NoticeMessage, now_ms: u64) -> Value {
    let run = |text: &str, weight: &str| {
        // Cards replace `{{DATE(…)}}` in any text.
        let text = text.replace("{{", "{ {");
        json!({
            "type": "RichTextBlock",
            "inlines": [{ "type": "TextRun", "text": text, "weight": weight }],
        })
    };
    let mut body = vec![run(&message.title(), "bolder")];
    body.extend(message.lines(now_ms).map(|line| run(&line, "default")));
    body.extend(message.repeat_note().map(|note| run(note, "lighter")));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}
