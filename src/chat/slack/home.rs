//! The App Home: what waits for a person's word, and what they planned.

use serde_json::json;

use super::render::{With, render};
use super::{Slack, Workspace};
use crate::app::App;
use crate::plan::show;
use crate::wording;

/// So many plans of each kind are shown with a link.
const MOST: usize = 15;

impl Slack {
    pub(super) async fn publish_home(&self, app: &App, workspace: &Workspace, user: &str) -> anyhow::Result<()> {
        let settings = app.settings();
        let person = crate::people::behind(&settings, "slack", &format!("{}/{user}", workspace.team));
        let (mut waiting, mut planned) = (Vec::new(), Vec::new());
        for row in app.store.open_plans().await? {
            let Some(person) = &person else { break };
            let mine = row.plan.by == *person;
            let waits = row.state.waits() && !mine && waits_for(app, &row, person).await?;
            if !mine && !waits {
                continue;
            }
            let list = if mine { &mut planned } else { &mut waiting };
            if list.len() >= MOST {
                continue;
            }
            let key = if mine { show::main_key(&row.plan.id) } else { show::card_key(&row.plan.id, row.revision) };
            let remote = app.store.posted(&key).await?.filter(|p| p.platform == "slack").and_then(|p| p.remote);
            let link = match remote {
                Some(remote) => self.address_of(&remote).await,
                None => None,
            };
            list.push((row, link));
        }
        let message = wording::home::home(person.as_ref(), &waiting, &planned, &settings);
        let drawn = render(&message, &With { user: &|_| None, picture: &|_| None });
        let body = json!({ "user_id": user, "view": { "type": "home", "blocks": drawn.blocks } });
        self.api.post(&workspace.token, "views.publish", &body).await?;
        Ok(())
    }
}

/// Whether a plan waits for this very person's word.
async fn waits_for(app: &App, row: &crate::store::plan::PlanRow, person: &crate::name::Person) -> anyhow::Result<bool> {
    let Some(revision) = app.store.revision(&row.plan.id, row.revision).await? else { return Ok(false) };
    if !revision.advice.approvals.eligible.contains(person) {
        return Ok(false);
    }
    let words = app.store.words(&row.plan.id).await?;
    Ok(!words.iter().any(|word| word.person == *person && word.revision == row.revision && word.stands()))
}
