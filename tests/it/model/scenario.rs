//! How a scenario is played.

use uuid::Uuid;

use super::expected::{Effect, Expected, Lead, Move, Outcome, ensure};
use super::operations::{Control, Ending, Operation, Pick, RUNS, Scenario, USERS, WORKERS};
use super::users::key;
use super::world::{FIRST_TARGET, HALFWAY, INBOX, NOWHERE, World};

impl World<'_> {
    /// From the first operation to the end of all moves, with a look at everything after each step.
    pub(super) async fn play(&mut self, scenario: &Scenario) -> Outcome {
        self.begin(scenario.leads).await;
        for (n, operation) in scenario.operations.iter().enumerate() {
            self.step(*operation)
                .await
                .map_err(|wrong| format!("after operation {n}, {operation:?}: {wrong}"))?;
        }
        self.end()
            .await
            .map_err(|wrong| format!("at the end: {wrong}"))
    }

    async fn step(&mut self, operation: Operation) -> Outcome {
        if self.is_pointless(operation) {
            return Ok(());
        }
        let effect = match operation {
            Operation::Control { control, run } => self.control(control, run).await?,
            Operation::ControlWhileBatchesEnd {
                control,
                run,
                ending,
            } => self.control_while_batches_end(control, run, ending).await?,
            Operation::Batch { worker, at_most } => self.batch(worker, at_most).await?,
            Operation::Batches { worker, calls } => {
                for _ in 0..calls {
                    self.make_due().await;
                    let effect = self.batch(worker, None).await?;
                    self.check(&effect).await?;
                }
                return Ok(());
            }
            Operation::OpenBatch { worker } => self.open_batch(worker).await?,
            Operation::EndBatch { worker, ending } => {
                let worker = self.open_from(worker).expect("or it would be pointless");
                self.end_batch(worker, ending).await
            }
            other => {
                self.step_beside_the_mover(other).await?;
                Effect::default()
            }
        };
        self.check(&effect).await
    }

    /// What changes nothing that a move has done.
    async fn step_beside_the_mover(&mut self, operation: Operation) -> Outcome {
        match operation {
            Operation::Enqueue {
                run,
                target,
                batch_size,
            } => self.enqueue(run, target, batch_size).await?,
            Operation::PersonMoves {
                person,
                lead,
                target,
            } => self.person_moves(person, lead, target).await?,
            Operation::PersonDeletes { person, lead } => self.person_deletes(person, lead).await?,
            Operation::PersonAdds {
                person,
                behind,
                count,
            } => self.person_adds(person, behind, count).await?,
            Operation::PersonLocks {
                person,
                first,
                count,
                weakly,
            } => self.person_locks(person, first, count, weakly).await?,
            Operation::PersonEnds { person, commits } => self.person_ends(person, commits).await,
            Operation::Block {
                first,
                count,
                behaviour,
            } => self.block(first, count, behaviour).await,
            Operation::Unblock { nth } => self.unblock(nth).await,
            Operation::ChangeQueue { nth, change } => self.change_queue(nth, change).await?,
            Operation::MakeDue => self.make_due().await,
            other => unreachable!("{other:?} is the mover's"),
        }
        Ok(())
    }

    /// Nothing would come of it.
    fn is_pointless(&self, operation: Operation) -> bool {
        let has_leads = |run| self.expected.leads_of(run).next().is_some();
        match operation {
            Operation::Batch { worker, .. }
            | Operation::Batches { worker, .. }
            | Operation::OpenBatch { worker } => self.workers[worker].open.is_some(),
            Operation::EndBatch { worker, .. } => self.open_from(worker).is_none(),
            Operation::PersonMoves { lead, .. } | Operation::PersonDeletes { lead, .. } => {
                !has_leads(lead.run)
            }
            Operation::PersonLocks { first, .. } | Operation::Block { first, .. } => {
                !has_leads(first.run)
            }
            Operation::PersonEnds { .. } => {
                !self.users.iter().any(|person| person.is_in_transaction)
            }
            Operation::Unblock { .. } => self.expected.blocked.is_empty(),
            _ => false,
        }
    }

    async fn begin(&mut self, leads: [usize; RUNS]) {
        // What a case that failed has left open.
        for worker in &mut self.workers {
            worker.session.batch_execute("rollback").await.unwrap();
            worker.open = None;
        }
        for person in &mut self.users {
            person.session.batch_execute("rollback").await.unwrap();
            person.is_in_transaction = false;
            person.changes.clear();
        }
        self.database
            .run(
                "delete from pgmq.q_lead_migration_queue;
                 delete from pgmq.a_lead_migration_queue;
                 delete from lead_mover.moves;
                 delete from public.leads;
                 delete from model.writes;
                 delete from model.blocked",
            )
            .await;
        self.added = 0;
        self.expected = Expected::default();
        for (run, count) in leads.into_iter().enumerate() {
            for n in 0..count {
                let place = match n % 7 {
                    1 => NOWHERE,
                    3 => HALFWAY,
                    5 => FIRST_TARGET,
                    _ => INBOX,
                };
                let lead = Lead { run, place };
                self.expected.leads.insert(key(n as u64, run, 0), lead);
            }
        }
        let all = || self.expected.leads.iter();
        let ids: Vec<&Uuid> = all().map(|(id, _)| id).collect();
        let runs: Vec<Uuid> = all().map(|(_, lead)| self.runs[lead.run]).collect();
        let (funnels, columns): (Vec<_>, Vec<_>) =
            all().map(|(_, lead)| self.places[lead.place]).unzip();
        self.database
            .session()
            .execute(
                "insert into public.leads (id, run_id, funnel_id, column_id, name)
                 select u.*, 'Lead'
                 from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) as u",
                &[&ids, &runs, &funnels, &columns],
            )
            .await
            .unwrap();
    }

    /// Everybody lets go, and the moves run to their end; those that left leads behind, once more.
    async fn end(&mut self) -> Outcome {
        for worker in 0..WORKERS {
            let ending = Ending::Commit;
            self.step(Operation::EndBatch { worker, ending }).await?;
        }
        for person in 0..USERS {
            let commits = true;
            self.step(Operation::PersonEnds { person, commits }).await?;
        }
        while !self.expected.blocked.is_empty() {
            self.unblock(0).await;
        }
        for control in [Control::Resume, Control::Retry] {
            for run in 0..RUNS {
                // Brought back by a person: not to be moved again by who takes the move up again.
                let (person, nth, target) = (0, 0, None);
                let lead = Pick { run, nth };
                self.step(Operation::PersonMoves {
                    person,
                    lead,
                    target,
                })
                .await?;
                self.step(Operation::Control { control, run }).await?;
            }
            self.run_to_the_end().await?;
        }
        for run in 0..RUNS {
            let newest = self.expected.newest(run);
            let is_over = newest
                .is_none_or(|newest| matches!(newest.status.as_str(), "completed" | "cancelled"));
            ensure(is_over, || format!("nothing stands in its way: {newest:?}"))?;
        }
        Ok(())
    }

    async fn run_to_the_end(&mut self) -> Outcome {
        // The last are for messages that users made unreadable.
        let most_calls = 2 * self.expected.leads.len() + 20 * self.expected.moves.len() + 60;
        for n in 0..=most_calls {
            if !self.expected.moves.values().any(Move::is_active) {
                return Ok(());
            }
            let (worker, calls) = (n % WORKERS, 1);
            self.step(Operation::Batches { worker, calls }).await?;
        }
        Err(format!("no end after {most_calls} batches"))
    }
}
