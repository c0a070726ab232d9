"""The ledger: every decision as an entry in its organiser's hash chain, attesting the rows it wrote.

An entry holds ids and salted hashes, never personal data. Its hash covers every other column, the hash of the
entry before it, and the hash of its attestations. An attestation holds the salted hash of one row as stored;
the latest attestation of a row speaks for it, so a row may change when a new entry attests it. Salts of
attestations are outside the chain: whoever must erase a row blanks it, attests it anew, and drops the salts
of its older attestations.
"""

from expert_pool.ledger.heads import Head, anchor, anchor_of, heads, settled
from expert_pool.ledger.verifying import LedgerFault, Verdict, judge, verify
from expert_pool.ledger.writing import WRITTEN, append, hold, matches

__all__ = [
    "WRITTEN",
    "Head",
    "LedgerFault",
    "Verdict",
    "anchor",
    "anchor_of",
    "append",
    "heads",
    "hold",
    "judge",
    "matches",
    "settled",
    "verify",
]
