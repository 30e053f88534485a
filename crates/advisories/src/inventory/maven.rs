//! `pom.xml` (Maven's POM Reference): what one file says by itself. It names what a project needs
//! directly; what that needs in turn stands in no POM.

use std::collections::HashMap;

use super::xml::{self, Element};
use super::{Builder, Draft, ReadError, Why};
use crate::text::{said, utf8};
use crate::{Ecosystem, Origin, Usage};

/// LIMIT: properties within properties.
const RESOLVED_DEPTH: usize = 16;
/// LIMIT: bytes of a text with its properties put in.
const RESOLVED_BYTES: usize = 4_096;

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let project = xml::read(utf8(bytes)?, &builder.limits())?;
    if project.name != "project" {
        return builder.shape(project.line, "its root is no `project`");
    }
    for name in [
        "properties",
        "dependencies",
        "dependencyManagement",
        "profiles",
        "parent",
    ] {
        let mut all = project.children.iter().filter(|child| child.name == name);
        if let (Some(_), Some(again)) = (all.next(), all.next()) {
            return builder.shape(again.line, format!("`{name}` stands here again"));
        }
    }
    let pom = Pom::of(&project);
    if let Some(parent) = project.child("parent") {
        let name = coordinate(parent, &pom).unwrap_or_else(|| "parent".to_owned());
        let message = "a parent, whose properties, versions and dependencies are not read here";
        builder.gap(parent.line, Why::Elsewhere, &name, message);
    }
    pom.manage(&project, builder);
    let mut managed = HashMap::new();
    for element in managed_of(&project) {
        if let (Some(key), Some(version)) = (coordinate(element, &pom), element.text_of("version"))
        {
            managed.entry(key).or_insert(version);
        }
    }
    pom.dependencies(project.children_of("dependencies"), &managed, builder)?;
    for profile in project.children_of("profiles") {
        let dependencies = profile.children_of("dependencies");
        pom.dependencies(dependencies, &managed, builder)?;
    }
    for module in project.children_of("modules") {
        let message = "a module, which has a file of its own";
        builder.gap(module.line, Why::Elsewhere, module.text.trim(), message);
    }
    if !project.children_of("dependencies").is_empty() {
        let message = "what the dependencies need in turn is not named in this file";
        builder.gap(0, Why::Elsewhere, "dependencies", message);
    }
    Ok(())
}

struct Pom<'p> {
    properties: HashMap<String, &'p str>,
}

fn managed_of(project: &Element) -> impl Iterator<Item = &Element> {
    let section = project.child("dependencyManagement");
    section
        .map_or(&[][..], |section| section.children_of("dependencies"))
        .iter()
}

fn coordinate(element: &Element, pom: &Pom<'_>) -> Option<String> {
    let group = pom.resolve(element.text_of("groupId")?)?;
    let artifact = pom.resolve(element.text_of("artifactId")?)?;
    Some(format!("{group}:{artifact}"))
}

impl<'p> Pom<'p> {
    fn of(project: &'p Element) -> Self {
        let mut properties = HashMap::new();
        for property in project.children_of("properties") {
            properties.insert(property.name.clone(), property.text.trim());
        }
        let parent = project.child("parent");
        for name in ["groupId", "artifactId", "version"] {
            let of_parent = parent.and_then(|parent| parent.text_of(name));
            let own = project.text_of(name);
            let own = own.or(if name == "artifactId" {
                None
            } else {
                of_parent
            });
            if let Some(own) = own {
                properties.insert(format!("project.{name}"), own);
                properties.insert(format!("pom.{name}"), own);
            }
            if let Some(text) = of_parent {
                properties.insert(format!("project.parent.{name}"), text);
            }
        }
        Self { properties }
    }

    /// A text with its properties put in; nothing where one is not set in this file.
    fn resolve(&self, text: &str) -> Option<String> {
        let mut text = text.trim().to_owned();
        for _ in 0..RESOLVED_DEPTH {
            let Some((before, rest)) = text.split_once("${") else {
                return Some(text);
            };
            let (name, after) = rest.split_once('}')?;
            let value = self.properties.get(name)?;
            if text.len().saturating_add(value.len()) > RESOLVED_BYTES {
                return None;
            }
            text = format!("{before}{value}{after}");
        }
        None
    }

    /// What `dependencyManagement` takes from other files.
    fn manage(&self, project: &Element, builder: &mut Builder) {
        for element in managed_of(project) {
            if element.text_of("scope") == Some("import") {
                let name = coordinate(element, self).unwrap_or_else(|| "import".to_owned());
                let message = "versions imported from another file, which is not read here";
                builder.gap(element.line, Why::Elsewhere, &name, message);
            }
        }
    }

    fn dependencies(
        &self,
        dependencies: &[Element],
        managed: &HashMap<String, &str>,
        builder: &mut Builder,
    ) -> Result<(), ReadError> {
        for element in dependencies {
            let line = element.line;
            let Some(name) = coordinate(element, self) else {
                let written = element.text_of("artifactId").unwrap_or("dependency");
                let message = "its name needs a property that is not set in this file";
                builder.gap(line, Why::Unresolved, written, message);
                continue;
            };
            let Some(version) = element.text_of("version").or(managed.get(&name).copied()) else {
                let message = "its version stands in a parent or an imported file";
                builder.gap(line, Why::Elsewhere, &name, message);
                continue;
            };
            let Some(version) = self.resolve(version) else {
                let message = format!(
                    "`{}` needs a property that is not set in this file",
                    said(version)
                );
                builder.gap(line, Why::Unresolved, &name, message);
                continue;
            };
            if version.starts_with(['[', '(']) || matches!(version.as_str(), "LATEST" | "RELEASE") {
                let message = format!("`{}` allows several versions", said(&version));
                builder.gap(line, Why::Unpinned, &name, message);
                continue;
            }
            let scope = element.text_of("scope").unwrap_or("compile");
            let usage = match scope {
                "test" => Usage::Development,
                _ if element.text_of("optional") == Some("true") => Usage::Optional,
                _ => Usage::Runtime,
            };
            let origin = match scope {
                "system" => {
                    Origin::Path(element.text_of("systemPath").unwrap_or_default().to_owned())
                }
                _ => Origin::Registry,
            };
            let draft = Draft::new(Ecosystem::Maven, &name, &version, line);
            builder.package(draft.usage(usage).origin(origin))?;
        }
        Ok(())
    }
}
