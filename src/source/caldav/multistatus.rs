//! What a WebDAV server says lies where: its XML answers (RFC 4918, 4791, 6578), as far as they are used.

use roxmltree::{Document, Node, ParsingOptions};

const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";

/// The most elements and texts that an answer may have.
const NODES: u32 = 400_000;

/// One answer about many resources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Multistatus {
    /// The state that a sync has reached.
    pub sync_token: Option<String>,
    pub responses: Vec<Response>,
}

/// What is said of one resource. Of its properties only those that were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// As the server wrote it: a path or a whole address.
    pub href: String,
    /// Where the resource as a whole has a status: 404 gone, 507 more than fits in one answer.
    pub status: Option<u16>,
    pub etag: Option<String>,
    /// An object's text.
    pub data: Option<String>,
    pub is_calendar: bool,
    /// Whether it can hold events; a calendar that does not say can.
    pub holds_events: bool,
    /// Whether it can tell what changed.
    pub can_sync: bool,
    /// As people call it.
    pub name: Option<String>,
    /// Where the server tells of the user who asks.
    pub principal: Option<String>,
    /// Where the calendars of the user lie, whose resource this is.
    pub homes: Vec<String>,
}

/// Reads an answer; None where it is not one.
pub fn read(text: &str) -> Option<Multistatus> {
    let document = parse(text)?;
    let root = document.root_element();
    if !is(root, DAV, "multistatus") {
        return None;
    }
    Some(Multistatus {
        sync_token: child(root, DAV, "sync-token").map(whole_text),
        responses: root.children().filter(|node| is(*node, DAV, "response")).filter_map(response).collect(),
    })
}

/// Whether an error says that the state which a sync was to start from is not known any more.
pub fn says_token_is_gone(text: &str) -> bool {
    parse(text).is_some_and(|document| document.descendants().any(|node| is(node, DAV, "valid-sync-token")))
}

/// A text as content of an element.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn parse(text: &str) -> Option<Document<'_>> {
    // Without a document type there are no entities of its own to blow up.
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text.trim_start_matches('\u{feff}').trim_start(), options).ok()
}

fn response(node: Node<'_, '_>) -> Option<Response> {
    let mut response = Response {
        href: child(node, DAV, "href").map(whole_text)?,
        status: child(node, DAV, "status").and_then(status),
        holds_events: true,
        ..Response::default()
    };
    for part in node.children().filter(|part| is(*part, DAV, "propstat")) {
        if child(part, DAV, "status").and_then(status).is_some_and(|status| status != 200) {
            continue;
        }
        let Some(properties) = child(part, DAV, "prop") else { continue };
        for property in properties.children().filter(Node::is_element) {
            let has = |space, name| property.descendants().any(|node| is(node, space, name));
            match (property.tag_name().namespace(), property.tag_name().name()) {
                (Some(DAV), "getetag") => response.etag = Some(whole_text(property)),
                (Some(CALDAV), "calendar-data") => response.data = Some(whole_text(property)),
                (Some(DAV), "displayname") => response.name = Some(whole_text(property)),
                (Some(DAV), "current-user-principal") => response.principal = hrefs(property).next(),
                (Some(CALDAV), "calendar-home-set") => response.homes = hrefs(property).collect(),
                (Some(DAV), "resourcetype") => response.is_calendar = has(CALDAV, "calendar"),
                (Some(DAV), "supported-report-set") => response.can_sync = has(DAV, "sync-collection"),
                (Some(CALDAV), "supported-calendar-component-set") => {
                    let named =
                        |node: Node<'_, '_>| is(node, CALDAV, "comp") && node.attribute("name") == Some("VEVENT");
                    response.holds_events = property.descendants().any(named);
                }
                _ => {}
            }
        }
    }
    Some(response)
}

/// The number of `HTTP/1.1 404 Not Found`.
fn status(node: Node<'_, '_>) -> Option<u16> {
    node.text()?.split_whitespace().nth(1)?.parse().ok()
}

fn is(node: Node<'_, '_>, space: &str, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(space)
}

fn child<'a, 'i>(node: Node<'a, 'i>, space: &str, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, space, name))
}

/// The addresses that a property holds.
fn hrefs<'a>(property: Node<'a, '_>) -> impl Iterator<Item = String> + use<'a> {
    let found: Vec<String> =
        property.children().filter(|node| is(*node, DAV, "href")).map(whole_text).filter(|at| !at.is_empty()).collect();
    found.into_iter()
}

/// All text below: a text may come in several pieces.
fn whole_text(node: Node<'_, '_>) -> String {
    let text: String = node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_read_in_any_prefix_and_what_was_not_is_left_out() {
        let read = read(
            "<?xml version='1.0' encoding='utf-8'?>\n<d:multistatus xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'>\
             <d:response><d:href> /ada/team/ </d:href><d:propstat><d:prop><d:resourcetype><d:collection/><c:calendar/>\
             </d:resourcetype><d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report>\
             </d:supported-report></d:supported-report-set><c:supported-calendar-component-set><c:comp name='VTODO'/>\
             </c:supported-calendar-component-set></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat>\
             <d:prop><d:getetag>none</d:getetag></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>\
             <d:response><d:href>/ada/team/a.ics</d:href><d:propstat><d:prop><d:getetag>\"1\"</d:getetag><c:calendar-data>\
             BEGIN:VCALENDAR&#13;\n<![CDATA[SUMMARY:a & b]]>\n</c:calendar-data></d:prop></d:propstat></d:response>\
             <d:response><d:href>/ada/team/b.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>\
             <d:sync-token>urn:7</d:sync-token></d:multistatus>",
        )
        .unwrap();
        assert_eq!(read.sync_token.as_deref(), Some("urn:7"));
        let [folder, object, gone] = read.responses.as_slice() else { panic!("{read:?}") };
        assert_eq!((folder.href.as_str(), folder.is_calendar, folder.can_sync), ("/ada/team/", true, true));
        assert_eq!((folder.holds_events, folder.etag.as_deref()), (false, None));
        assert_eq!(object.data.as_deref(), Some("BEGIN:VCALENDAR\r\nSUMMARY:a & b"));
        assert_eq!((object.etag.as_deref(), gone.status), (Some("\"1\""), Some(404)));
    }

    #[test]
    fn what_is_no_answer_is_refused_however_it_is_made() {
        let deep = "<a>".repeat(2_000_000);
        let many = format!("<multistatus xmlns='DAV:'>{}</multistatus>", "<a/>".repeat(500_000));
        let bomb = "<!DOCTYPE m [<!ENTITY a 'aaaaaaaaaa'>]><multistatus xmlns='DAV:'>&a;</multistatus>";
        for text in ["", "{}", "<html></html>", "<multistatus/>", "<multistatus xmlns='DAV:'>", bomb, &deep, &many] {
            assert_eq!(read(text), None, "{:.60}", text);
        }
    }

    #[test]
    fn an_error_may_say_that_the_state_is_gone() {
        assert!(says_token_is_gone("<error xmlns='DAV:'><valid-sync-token/></error>"));
        assert!(!says_token_is_gone("<error xmlns='DAV:'><need-privileges/></error>"));
    }
}
