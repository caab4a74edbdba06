//! `pom.xml`: the dependencies that a project names itself, with the versions that it can tell.
//!
//! <https://maven.apache.org/pom.html>: versions may stand in properties. What a parent or a bill of materials settles, a
//! range, and what comes along with these is not in the file.

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

/// A larger file is none that people write.
const MOST_NODES: u32 = 200_000;
/// Properties may name properties, so often.
const DEEPEST: usize = 8;

/// Names as `group:artifact`, and versions. None: the text is no such file.
pub fn pom(text: &str) -> Option<Vec<(String, String)>> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    let project = Some(document.root_element()).filter(|root| root.tag_name().name() == "project")?;
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for property in children(project, "properties").flat_map(|all| all.children()).filter(Node::is_element) {
        known.insert(property.tag_name().name().to_owned(), property.text().unwrap_or_default().trim());
    }
    for (name, value) in [("version", child(project, "version")), ("groupId", child(project, "groupId"))] {
        let parents = || children(project, "parent").find_map(|parent| child(parent, name));
        if let Some(value) = value.or_else(parents) {
            known.insert(format!("project.{name}"), value);
        }
    }
    let managed = children(project, "dependencyManagement").flat_map(|all| children(all, "dependencies"));
    let named = children(project, "dependencies").chain(managed).flat_map(|all| children(all, "dependency"));
    let told = named.filter_map(|dependency| {
        let part = |name| child(dependency, name).and_then(|text| filled(text, &known, 0));
        let (group, artifact, version) = (part("groupId")?, part("artifactId")?, part("version")?);
        // A range, or what only the build knows.
        (!version.contains(['[', '(', ',', '$'])).then(|| (format!("{group}:{artifact}"), version))
    });
    Some(told.collect())
}

fn children<'a, 'd: 'a>(of: Node<'a, 'd>, name: &'static str) -> impl Iterator<Item = Node<'a, 'd>> {
    of.children().filter(move |node| node.is_element() && node.tag_name().name() == name)
}

fn child<'a>(of: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    children(of, name).next()?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// A text with its properties filled in; None where one is not known here.
fn filled(text: &str, known: &BTreeMap<String, &str>, depth: usize) -> Option<String> {
    let Some((before, rest)) = text.split_once("${") else { return Some(text.to_owned()) };
    let (name, after) = rest.split_once('}')?;
    if depth >= DEEPEST {
        return None;
    }
    let value = filled(known.get(name)?, known, depth + 1)?;
    let whole = format!("{before}{value}{after}");
    // Values grow by what they name: a bound on the length ends what the depth alone does not.
    if whole.len() > 1_000 { None } else { filled(&whole, known, depth + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_project_names_is_told_with_versions_that_stand_in_it() {
        let text = "<?xml version='1.0'?><project xmlns='http://maven.apache.org/POM/4.0.0'>\
            <parent><groupId>org.shop</groupId><version>7</version></parent>\
            <properties><jackson>2.18.2</jackson><same>${jackson}</same></properties>\
            <dependencyManagement><dependencies><dependency><groupId>org.slf4j</groupId>\
            <artifactId>slf4j-api</artifactId><version> 2.0.16 </version></dependency></dependencies></dependencyManagement>\
            <dependencies>\
            <dependency><groupId>com.fasterxml</groupId><artifactId>core</artifactId><version>${same}</version></dependency>\
            <dependency><groupId>${project.groupId}</groupId><artifactId>till</artifactId><version>${project.version}</version></dependency>\
            <dependency><groupId>a</groupId><artifactId>managed</artifactId></dependency>\
            <dependency><groupId>a</groupId><artifactId>range</artifactId><version>[1,2)</version></dependency>\
            <dependency><groupId>a</groupId><artifactId>unknown</artifactId><version>${parent.says}</version></dependency>\
            </dependencies></project>";
        let mut told = pom(text).unwrap();
        told.sort();
        let told: Vec<String> = told.into_iter().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(told, ["com.fasterxml:core 2.18.2", "org.shop:till 7", "org.slf4j:slf4j-api 2.0.16"]);
    }

    #[test]
    fn hostile_files_end_in_an_answer() {
        assert_eq!(pom("<settings/>"), None);
        assert_eq!(pom("no xml"), None);
        assert_eq!(pom("<!DOCTYPE p [<!ENTITY a 'b'>]><project>&a;</project>"), None, "no entities");
        let circle = "<project><properties><a>${b}</a><b>${a}${a}</b></properties><dependencies><dependency>\
            <groupId>g</groupId><artifactId>x</artifactId><version>${a}</version></dependency></dependencies></project>";
        assert_eq!(pom(circle), Some(Vec::new()));
        assert_eq!(pom(&"<project>".repeat(300_000)), None);
    }
}
