//! Users: move, add, delete and lock leads, at once or in a transaction that stays open.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::expected::{Expected, Lead, Outcome};
use super::operations::Pick;
use super::world::{FIRST_TARGET, INBOX, World};
use crate::support::Session;

pub(super) struct Person {
    pub(super) session: Session,
    pub(super) is_in_transaction: bool,
    /// What becomes true when the transaction commits.
    pub(super) changes: Vec<Change>,
}

/// A lead as the person left it; none: deleted.
type Change = (Uuid, Option<Lead>);

impl World<'_> {
    pub(super) async fn person_moves(
        &mut self,
        person: usize,
        pick: Pick,
        target: Option<usize>,
    ) -> Outcome {
        let id = self.pick(pick);
        let run = pick.run;
        let place = target.map_or(INBOX, |target| FIRST_TARGET + target);
        let (funnel, column) = self.places[place];
        self.person_does(
            person,
            "update public.leads set funnel_id = $2, column_id = $3 where id = $1",
            &[&id, &funnel, &column],
            vec![(id, Some(Lead { run, place }))],
        )
        .await
    }

    pub(super) async fn person_deletes(&mut self, person: usize, pick: Pick) -> Outcome {
        let id = self.pick(pick);
        self.person_does(
            person,
            "delete from public.leads where id = $1",
            &[&id],
            vec![(id, None)],
        )
        .await
    }

    pub(super) async fn person_adds(
        &mut self,
        person: usize,
        behind: Pick,
        count: usize,
    ) -> Outcome {
        let run = behind.run;
        let position = self
            .pick_some(behind, 1)
            .first()
            .map_or(0, |lead| lead.as_u64_pair().0);
        let ids: Vec<Uuid> = (1..=count)
            .map(|n| key(position, run, self.added + n))
            .collect();
        self.added += count;
        let (funnel, column) = self.places[INBOX];
        let run_id = self.runs[run];
        let lead = Lead { run, place: INBOX };
        self.person_does(
            person,
            "insert into public.leads (id, run_id, funnel_id, column_id, name)
             select id, $2, $3, $4, 'added' from unnest($1::uuid[]) as id",
            &[&ids, &run_id, &funnel, &column],
            ids.iter().map(|id| (*id, Some(lead))).collect(),
        )
        .await
    }

    pub(super) async fn person_locks(
        &mut self,
        person: usize,
        first: Pick,
        count: usize,
        weakly: bool,
    ) -> Outcome {
        let ids = self.pick_some(first, count);
        let person = &mut self.users[person];
        if !person.is_in_transaction {
            person.session.batch_execute("begin").await.unwrap();
            person.is_in_transaction = true;
        }
        let strength = if weakly { "key share" } else { "update" };
        let query =
            format!("select from public.leads where id = any ($1) order by id for {strength}");
        let outcome = person.session.execute(&query, &[&ids]).await;
        person.give_up_if_blocked(outcome).await.map(drop)
    }

    pub(super) async fn person_ends(&mut self, person: usize, commits: bool) {
        let count = self.users.len();
        let Some(person) = (person..person + count)
            .map(|person| person % count)
            .find(|person| self.users[*person].is_in_transaction)
        else {
            return;
        };
        let person = &mut self.users[person];
        let end = if commits { "commit" } else { "rollback" };
        person.session.batch_execute(end).await.unwrap();
        person.is_in_transaction = false;
        let changes = std::mem::take(&mut person.changes);
        if commits {
            self.expected.change(changes);
        }
    }

    /// The id of that lead, in a run that has one.
    pub(super) fn pick(&self, pick: Pick) -> Uuid {
        self.pick_some(pick, 1)[0]
    }

    /// That lead and those after it.
    pub(super) fn pick_some(&self, first: Pick, count: usize) -> Vec<Uuid> {
        let leads: Vec<Uuid> = self
            .expected
            .leads_of(first.run)
            .map(|(id, _)| id)
            .collect();
        (first.nth..first.nth + count.min(leads.len()))
            .map(|nth| leads[nth % leads.len()])
            .collect()
    }

    async fn person_does(
        &mut self,
        person: usize,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
        changes: Vec<Change>,
    ) -> Outcome {
        let person = &mut self.users[person];
        let outcome = person.session.execute(statement, parameters).await;
        if person.give_up_if_blocked(outcome).await? == 0 {
            return Ok(()); // the lead is gone, or another session has it locked
        }
        if person.is_in_transaction {
            person.changes.extend(changes);
        } else {
            self.expected.change(changes);
        }
        Ok(())
    }
}

impl Person {
    /// The number of rows; 0 where another session has one locked, which ends an open transaction.
    async fn give_up_if_blocked(
        &mut self,
        outcome: Result<u64, tokio_postgres::Error>,
    ) -> Outcome<u64> {
        match outcome {
            Ok(rows) => Ok(rows),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                self.session.batch_execute("rollback").await.unwrap();
                self.is_in_transaction = false;
                self.changes.clear();
                Ok(0)
            }
            Err(error) => Err(format!("a person's statement failed: {error:?}")),
        }
    }
}

impl Expected {
    fn change(&mut self, changes: Vec<Change>) {
        for (id, lead) in changes {
            match lead {
                Some(lead) => self.leads.insert(id, lead),
                None => self.leads.remove(&id),
            };
        }
    }
}

/// Keys are in the order of the positions; `added` keeps them apart.
pub(super) fn key(position: u64, run: usize, added: usize) -> Uuid {
    Uuid::from_u128(u128::from(position) << 64 | (run as u128) << 32 | added as u128)
}
