"""Files that a sweep took, for which no document may be written any more.

Revision 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import INSTANT, TASK_ID

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
PHASE = "expand"

# Writers share the lock until their commit, the sweep takes it alone: either it sees their document, or they its mark.
FILE_IS_KEPT = """
CREATE FUNCTION documents_file_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('opora_document_files'));
  IF EXISTS (SELECT 1 FROM swept_files WHERE blob_id = NEW.blob_id) THEN
    RAISE integrity_constraint_violation USING CONSTRAINT = 'ck_documents_file_is_kept',
      MESSAGE = 'the file was swept before its document was written';
  END IF;
  RETURN NEW;
END $$
"""
POSTGRES_TRIGGER = """
CREATE TRIGGER file_is_kept BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION documents_file_is_kept()
"""
SQLITE_TRIGGER = """
CREATE TRIGGER file_is_kept BEFORE INSERT ON documents
WHEN EXISTS (SELECT 1 FROM swept_files WHERE blob_id = NEW.blob_id)
BEGIN SELECT RAISE(ABORT, 'ck_documents_file_is_kept'); END
"""


def upgrade() -> None:
    op.create_table(
        "swept_files",
        sa.Column("blob_id", TASK_ID, primary_key=True),
        sa.Column("swept_at", INSTANT, nullable=False),
        sa.Index("ix_swept_files_swept_at", "swept_at"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FILE_IS_KEPT)
        op.execute(POSTGRES_TRIGGER)
    else:
        op.execute(SQLITE_TRIGGER)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER file_is_kept ON documents")
        op.execute("DROP FUNCTION documents_file_is_kept()")
    else:
        op.execute("DROP TRIGGER file_is_kept")
    op.drop_table("swept_files")
