"""The one list of what happens to every sort of row when a person is erased, in the order in which it happens.

A test walks all models: a table that refers to a person or holds their words is treated here or says why not.
"""

from __future__ import annotations

from collections.abc import Mapping

from uptake.connectors.forget import IMPORTS, SYSTEM_RECORDS
from uptake.connectors.people.forget import SAID_BY_SOURCES
from uptake.directory.erase import Treatment
from uptake.directory.forget import AUDIT, IDENTITIES, LEAVE, LOGIN, MEMBERSHIPS, PERSON, ROLES, SEATS
from uptake.directory.sign_on.forget import SIGN_ON
from uptake.events.forget import CONFLICTS, EVENTS
from uptake.insight.forget import SEGMENTS, VIEWS
from uptake.insight.gaming.forget import GAMING
from uptake.notify.forget import MESSAGES
from uptake.programme.adoption.forget import ADOPTION
from uptake.programme.community.forget import COMMUNITY
from uptake.programme.forget import AWARDS, LEVELS
from uptake.programme.governance.forget import GOVERNANCE
from uptake.programme.merits.forget import MERITS
from uptake.programme.retroactive.forget import RETROACTIVE
from uptake.programme.rewards.forget import REDEMPTIONS, SPECIAL

TREATMENTS: tuple[Treatment, ...] = (
    IMPORTS,
    SYSTEM_RECORDS,
    SAID_BY_SOURCES,
    CONFLICTS,
    EVENTS,
    AWARDS,
    LEVELS,
    REDEMPTIONS,
    SPECIAL,
    MERITS,
    GOVERNANCE,
    RETROACTIVE,
    GAMING,
    COMMUNITY,
    ADOPTION,
    MESSAGES,
    SEGMENTS,
    VIEWS,
    SEATS,
    AUDIT,
    ROLES,
    LEAVE,
    MEMBERSHIPS,
    SIGN_ON,
    LOGIN,
    IDENTITIES,
    PERSON,
)
NOT_TREATED: Mapping[str, str] = {
    "directory.Organization": "places are no people",
    "directory.Product": "products are no people",
    "directory.CalendarDay": "days are no people",
    "directory.ClockChange": "clocks of places are no people",
    "directory.Erasure": "says that number so-and-so was erased, and no name",
    "sign_on.SignOn": "a system that people sign in with; not a person",
    "sign_on.UsedProof": "digests of proofs that were used, for minutes; of no person",
    "socialaccount.SocialAccount": "not used: see sign_on.SignOnLink",
    "socialaccount.SocialApp": "not used: see sign_on.SignOn",
    "socialaccount.SocialToken": "not used: what other systems give is not kept",
    "events.Connection": "sources are no people",
    "events.ApiKey": "made by a login whose name is gone",
    "events.WidgetKey": "made by a login whose name is gone",
    "events.EventType": "the catalogue describes kinds of events",
    "events.Quarantine": "holds the names of properties, not their values",
    "events.Bookmark": "how far a reader is",
    "connectors.Probe": "an address of a system, declared by a login whose name is gone",
    "connectors.Pull": "how a system is asked; its user is the system's, not a person of ours",
    "people_sources.PeopleSource": "how a directory elsewhere is asked; made by a login whose name is gone",
    "people_sources.SaidPlace": "departments are no people",
    "people_sources.PeopleRun": "counts and reasons",
    "connectors.PullStream": "how far it was read",
    "connectors.KnownRecord": "numbers of records",
    "connectors.RememberedMapping": "headings of columns, by a login whose name is gone",
    "programme.RulebookVersion": "published by a login whose name is gone; rules name no people",
    "programme.PutAside": "how far a company's events were considered, and where the program failed",
    "programme.ReversalMark": "numbers made of what events are about; not of people",
    "programme.MarkedName": "names of events",
    "notify.Follower": "how far a reader is",
    "notify.Wording": "words of a place, by a login whose name is gone",
    "notify.Webhook": "addresses of other software; its deliveries about a person go",
    "drafting.Draft": "written by a login whose name is gone; rules name no people",
    "drafting.Save": "as drafting.Draft",
    "drafting.Run": "as drafting.Draft",
    "drafting.Report": "sealed; knows numbers of people and no names",
    "drafting.ExploitReport": "as drafting.Draft; it imagines people",
    "drafting.ExploitSearch": "as drafting.Draft",
    "gaming.Outcome": "a verdict and a number of points",
    "gaming.Search": "how far a company was searched; no people",
    "impact.Intervention": "made by a login whose name is gone; says what began in departments",
    "impact.Series": "a name of figures of places",
    "impact.SeriesVersion": "figures of places; uploaded by a login whose name is gone",
    "impact.SeriesQuery": "a query about places, kept by a login whose name is gone",
    "impact.DrawnPerson": "on which side of a lot a number stands whose name is gone; lists leave it out",
    "impact.Began": "days of departments; said by a login whose name is gone",
    "impact.Outage": "times of systems; noted by a login whose name is gone",
    "impact.Evaluation": "figures of departments; no people",
    "report.SelfTest": "as impact.Evaluation",
    "report.ShareLink": "made by a login whose name is gone; opens figures of departments",
    "report.Cost": "sums of money, by a login whose name is gone",
    "report.Schedule": "numbers of people whose names are gone; they are told nothing any more",
    "report.MonthlyReport": "which evaluations stood; no people",
    "governance.Committee": "how a place votes; no people",
    "governance.Proposal": "what was put to the vote is sealed; its proposer is a number whose name is gone",
    "governance.Ballot": "names nobody, and is deleted when it was counted",
    "adoption.Guide": "steps of a place; name no people",
    "community.Terms": "numbers of a company; no people",
    "programme.StandingChange": "numbers of people whose names are gone",
    "programme.MeritChange": "numbers of people whose names are gone; lives for seconds",
    "merits.Score": "points of a number whose name is gone",
    "merits.Band": "counts of people",
    "merits.Nameless": "a number that wants no name beside it",
    "merits.Badge": "what is given for what, by a login whose name is gone",
    "merits.Challenge": "as merits.Badge; why it was called off is emptied where it names somebody",
    "merits.BoardPrize": "as merits.Badge",
    "merits.PaidBoard": "sums of points",
    "merits.PaidPlace": "points of a number whose name is gone",
    "merits.Privilege": "as merits.Badge",
    "rewards.Reward": "what is on offer",
    "rewards.Picture": "of what is on offer",
    "rewards.Step": "states and numbers, by a login whose name is gone",
    "rewards.Code": "codes name no people",
    "rewards.BudgetChange": "of departments, by a login whose name is gone",
    "insight.DayFigure": "counts of whole days",
    "jobs.JobRun": "how the jobs went",
    "connectors.IntakeProblem": "counts, and a sample whose values are cut to two characters",
    "ledger.Account": "knows a number and no name; points stay balanced",
    "ledger.Entry": "as ledger.Account; explanations name rules",
    "ledger.Transfer": "as ledger.Entry",
    "ledger.ChainHead": "as ledger.Account",
    "ledger.Hold": "as ledger.Account",
    "ledger.Deadline": "as ledger.Account",
    "ledger.Resolution": "as ledger.Account",
    "ledger.Refund": "as ledger.Account",
    "auth.Group": "not used",
    "auth.Group_permissions": "not used",
    "auth.Permission": "Django's own",
    "contenttypes.ContentType": "Django's own",
}
"""Tables that are left as they are, and why that is right."""
