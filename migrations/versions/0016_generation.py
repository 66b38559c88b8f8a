"""Texts, the words kept while they are written, calls of engines, and prompts with three to begin with.

Revision 0016, after 0015.
"""

import json

import sqlalchemy as sa
from alembic import op

from opora.adapters.sql.schema.metadata import ID, INSTANT, TASK_ID
from opora.adapters.sql.schema.sequences import create_sequence, drop_sequence

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
PHASE = "expand"

GOING = "status IN ('queued', 'running')"
SEEDED_AT = "2026-11-21T00:00:00.000000Z"
UNCHANGED = ("prompt_versions", "a published version of a prompt never changes")

LANGUAGE = {"name": "language", "default": "ru", "max_length": 20, "description": "ru or en"}
TOPIC = {"name": "topic", "default": None, "max_length": 2000, "description": "what to write about"}
TONE = {"name": "tone", "default": "", "max_length": 200, "description": "how it should sound"}
AUDIENCE = {"name": "audience", "default": "", "max_length": 200, "description": "who will read it"}
SOURCE = {"name": "topic", "default": None, "max_length": 20000, "description": "the text to shorten"}
EDITOR = (
    '{% if language == "en" %}You are an experienced editor. You write in English, plainly and to the point.'
    "{% else %}Ты опытный редактор. Ты пишешь по-русски, просто и по делу.{% endif %}"
)
SEEDS = (
    (
        1,
        "post",
        "A short post for a social network",
        '{% if language == "en" %}Write a post for a social network about: {{ topic }}.\n'
        "{% if audience %}Its readers: {{ audience }}.\n{% endif %}{% if tone %}Its tone: {{ tone }}.\n{% endif %}"
        "One thought, three short paragraphs at most, a question to the readers at the end."
        "{% else %}Напиши пост для социальной сети на тему: {{ topic }}.\n"
        "{% if audience %}Читатели: {{ audience }}.\n{% endif %}{% if tone %}Тон: {{ tone }}.\n{% endif %}"
        "Одна мысль, не больше трёх коротких абзацев, в конце вопрос к читателям.{% endif %}",
        (TOPIC, LANGUAGE, AUDIENCE, TONE),
        400,
    ),
    (
        2,
        "article",
        "An article with headings",
        '{% if language == "en" %}Write an article on the topic: {{ topic }}.\n'
        "{% if audience %}Its readers: {{ audience }}.\n{% endif %}{% if tone %}Its tone: {{ tone }}.\n{% endif %}"
        "A title, an opening that says what the reader will learn, four to six headed sections, a conclusion."
        "{% else %}Напиши статью на тему: {{ topic }}.\n"
        "{% if audience %}Читатели: {{ audience }}.\n{% endif %}{% if tone %}Тон: {{ tone }}.\n{% endif %}"
        "Заголовок, вступление о том, что узнает читатель, четыре-шесть разделов с подзаголовками, вывод.{% endif %}",
        (TOPIC, LANGUAGE, AUDIENCE, TONE),
        2000,
    ),
    (
        3,
        "summary",
        "A text made short",
        '{% if language == "en" %}Summarise the following text in at most five sentences. Add nothing of your own.\n\n'
        "{{ topic }}"
        "{% else %}Перескажи следующий текст не более чем в пяти предложениях. Ничего не добавляй от себя.\n\n"
        "{{ topic }}{% endif %}",
        (SOURCE, LANGUAGE),
        300,
    ),
)


def upgrade() -> None:
    _texts()
    _prompts()
    create_sequence("prompts")
    _seed()
    table, told = UNCHANGED
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION refuse_{table}_change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{told}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION refuse_{table}_change()"
        )
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_unchanged_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{told}'); END"
            )


def _texts() -> None:
    op.create_table("generations", *_text_columns())
    op.create_index("ix_generations_owner_id", "generations", ["owner", "id"])
    op.create_index("ix_generations_job_id", "generations", ["job_id"])
    partial = (
        ("ix_generations_going", ["id"], GOING, False),
        ("ix_generations_leader_id", ["leader_id"], f"{GOING} AND leader_id IS NOT NULL", False),
        (
            "uq_generations_leading",
            ["owner", "cache_key"],
            f"{GOING} AND leader_id IS NULL AND cache_key IS NOT NULL",
            True,
        ),
        (
            "ix_generations_answered",
            ["owner", "cache_key", "ended_at"],
            "status = 'completed' AND NOT is_cached AND cache_key IS NOT NULL",
            False,
        ),
    )
    for name, columns, condition, unique in partial:
        where = sa.text(condition)
        op.create_index(name, "generations", columns, unique=unique, postgresql_where=where, sqlite_where=where)
    op.create_table(
        "generation_words",
        sa.Column("text_id", TASK_ID, sa.ForeignKey("generations.id"), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_table(
        "generation_attempts",
        sa.Column("text_id", TASK_ID, sa.ForeignKey("generations.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(200)),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
    )


def _text_columns() -> list[sa.Column | sa.Constraint]:
    return [
        sa.Column("id", TASK_ID, primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("user_id", ID),
        sa.Column("function", sa.String(64), nullable=False),
        sa.Column("prompt_id", ID),
        sa.Column("prompt_version", sa.Integer),
        sa.Column("wish", sa.Text, nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("job_id", TASK_ID),
        sa.Column("leader_id", TASK_ID),
        sa.Column("cache_key", sa.String(64)),
        sa.Column("is_cached", sa.Boolean, nullable=False),
        sa.Column("notify", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("content", sa.Text),
        sa.Column("finish", sa.String(16)),
        sa.Column("usage", sa.Text),
        sa.Column("engine", sa.String(64)),
        sa.Column("model", sa.String(100)),
        sa.Column("error", sa.String(64)),
        sa.Column("error_detail", sa.Text),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("mode IN ('auto', 'sync', 'async', 'stream')", name="mode"),
        sa.CheckConstraint("status IN ('queued', 'running', 'completed', 'failed', 'cancelled')", name="status"),
        sa.CheckConstraint("(ended_at IS NULL) = (status IN ('queued', 'running'))", name="ended_at"),
        sa.CheckConstraint("status <> 'completed' OR content IS NOT NULL", name="content"),
    ]


def _prompts() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("versions", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("name", name="uq_prompts_name"),
    )
    op.create_table(
        "prompt_versions",
        sa.Column("prompt_id", ID, sa.ForeignKey("prompts.id"), primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("variables", sa.Text, nullable=False),
        sa.Column("max_tokens", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
    )
    op.create_table(
        "prompt_labels",
        sa.Column("prompt_id", ID, sa.ForeignKey("prompts.id"), primary_key=True, autoincrement=False),
        sa.Column("label", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _seed() -> None:
    connection = op.get_bind()
    at = f"'{SEEDED_AT}'" if connection.dialect.name == "sqlite" else f"TIMESTAMPTZ '{SEEDED_AT}'"
    for id, name, description, template, variables, max_tokens in SEEDS:
        connection.execute(
            sa.text(
                "INSERT INTO prompts (id, name, description, versions, created_at)"
                f" VALUES (:id, :name, :description, 1, {at})"
            ),
            {"id": id, "name": name, "description": description},
        )
        connection.execute(
            sa.text(
                "INSERT INTO prompt_versions"
                " (prompt_id, version, template, system, variables, max_tokens, created_at, created_by)"
                f" VALUES (:id, 1, :template, :system, :variables, :max_tokens, {at}, 'system')"
            ),
            {
                "id": id,
                "template": template,
                "system": EDITOR,
                "variables": json.dumps(variables, ensure_ascii=False),
                "max_tokens": max_tokens,
            },
        )
        connection.execute(
            sa.text("INSERT INTO prompt_labels (prompt_id, label, version) VALUES (:id, 'production', 1)"), {"id": id}
        )
    if connection.dialect.name == "sqlite":
        connection.execute(
            sa.text("UPDATE id_sequences SET value = :last WHERE name = 'prompts'"), {"last": len(SEEDS)}
        )
    else:
        connection.execute(sa.text(f"SELECT setval('prompts_id_seq', {len(SEEDS)})"))


def downgrade() -> None:
    table, _ = UNCHANGED
    for one in ("prompt_labels", "prompt_versions", "prompts"):
        op.drop_table(one)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION refuse_{table}_change()")
    drop_sequence("prompts")
    for one in ("generation_attempts", "generation_words", "generations"):
        op.drop_table(one)
