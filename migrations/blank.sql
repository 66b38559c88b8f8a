CREATE TABLE abs_packets (
	id INTEGER NOT NULL, 
	document_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	document_status VARCHAR(16) NOT NULL, 
	has_file BOOLEAN NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	reference VARCHAR(200), 
	error TEXT, 
	comment VARCHAR(1000), 
	attempts INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	sent_at TEXT, 
	settled_at TEXT, 
	CONSTRAINT pk_abs_packets PRIMARY KEY (id), 
	CONSTRAINT ck_abs_packets_document_status CHECK (document_status IN ('pending', 'quarantined', 'in_review', 'needs_info', 'approved', 'rejected', 'processed', 'archived')), 
	CONSTRAINT ck_abs_packets_status CHECK (status IN ('queued', 'sent', 'accepted', 'rejected', 'failed', 'overridden')), 
	CONSTRAINT uq_abs_packets_document_id_version UNIQUE (document_id, version), 
	CONSTRAINT fk_abs_packets_document_id_documents FOREIGN KEY(document_id) REFERENCES documents (id)
);
CREATE TABLE abs_receipts (
	id VARCHAR(200) NOT NULL, 
	packet VARCHAR(200), 
	verdict VARCHAR(16), 
	outcome VARCHAR(16) NOT NULL, 
	reference VARCHAR(200), 
	reason TEXT, 
	received_at TEXT NOT NULL, 
	CONSTRAINT pk_abs_receipts PRIMARY KEY (id), 
	CONSTRAINT ck_abs_receipts_verdict CHECK (verdict IN ('accepted', 'rejected')), 
	CONSTRAINT ck_abs_receipts_outcome CHECK (outcome IN ('applied', 'idle', 'stranger', 'unreadable'))
);
CREATE TABLE abs_reconciliations (
	id VARCHAR(36) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	requested_at TEXT NOT NULL, 
	requested_by VARCHAR(64) NOT NULL, 
	completed_at TEXT, 
	as_of TEXT, 
	compared INTEGER NOT NULL, 
	under_way INTEGER NOT NULL, 
	differences INTEGER NOT NULL, 
	opened INTEGER NOT NULL, 
	closed INTEGER NOT NULL, 
	error TEXT, 
	CONSTRAINT pk_abs_reconciliations PRIMARY KEY (id), 
	CONSTRAINT ck_abs_reconciliations_status CHECK (status IN ('queued', 'completed', 'failed'))
);
CREATE TABLE abs_tickets (
	id INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	subject VARCHAR(220) NOT NULL, 
	here TEXT, 
	there TEXT, 
	opened_at TEXT NOT NULL, 
	reconciliation_id VARCHAR(36), 
	closed_at TEXT, 
	closed_by VARCHAR(64), 
	comment VARCHAR(1000), 
	CONSTRAINT pk_abs_tickets PRIMARY KEY (id), 
	CONSTRAINT ck_abs_tickets_kind CHECK (kind IN ('missing_there', 'unknown_here', 'differs', 'unanswered', 'not_taken', 'stranger_receipt', 'bad_receipt'))
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0023');
CREATE TABLE api_keys (
	id INTEGER NOT NULL, 
	label VARCHAR(200) NOT NULL, 
	start VARCHAR(40) NOT NULL, 
	last4 VARCHAR(4) NOT NULL, 
	environment VARCHAR(8) NOT NULL, 
	scopes TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	owner_id INTEGER, 
	rate_limit_per_min INTEGER, 
	allowed_ips TEXT NOT NULL, 
	family_id INTEGER NOT NULL, 
	rotated_from INTEGER, 
	rotated_at TEXT, 
	sunset_at TEXT, 
	created_by VARCHAR(64) NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT, 
	last_used_at TEXT, 
	version INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	digest_scheme VARCHAR(64) NOT NULL, 
	lookup_prefix VARCHAR(12), 
	search TEXT NOT NULL, 
	CONSTRAINT pk_api_keys PRIMARY KEY (id), 
	CONSTRAINT ck_api_keys_environment CHECK (environment IN ('live', 'test')), 
	CONSTRAINT ck_api_keys_state CHECK (state IN ('active', 'disabled', 'revoked')), 
	CONSTRAINT uq_api_keys_digest UNIQUE (digest), 
	CONSTRAINT fk_api_keys_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id), 
	CONSTRAINT fk_api_keys_rotated_from_api_keys FOREIGN KEY(rotated_from) REFERENCES api_keys (id)
);
CREATE TABLE api_versions (
	version VARCHAR(16) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	released_on DATE, 
	deprecated_on DATE, 
	sunset_on DATE, 
	successor VARCHAR(16), 
	CONSTRAINT pk_api_versions PRIMARY KEY (version), 
	CONSTRAINT ck_api_versions_status CHECK (status IN ('beta', 'stable', 'deprecated', 'retired'))
);
INSERT INTO "api_versions" VALUES('v1','stable','2026-11-21',NULL,NULL,NULL);
CREATE TABLE appointment_series (
	id INTEGER NOT NULL, 
	client_id INTEGER NOT NULL, 
	service_id INTEGER NOT NULL, 
	staff_id INTEGER NOT NULL, 
	rrule VARCHAR(500) NOT NULL, 
	timezone VARCHAR(64) NOT NULL, 
	starts_at TEXT NOT NULL, 
	parent_id INTEGER, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_appointment_series PRIMARY KEY (id)
);
CREATE TABLE appointments (
	id INTEGER NOT NULL, 
	uid VARCHAR(64) NOT NULL, 
	service_id INTEGER NOT NULL, 
	staff_id INTEGER NOT NULL, 
	client_id INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	starts_at TEXT NOT NULL, 
	ends_at TEXT NOT NULL, 
	timezone VARCHAR(64) NOT NULL, 
	price_minor INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	policy TEXT NOT NULL, 
	capacity INTEGER NOT NULL, 
	engagement_id INTEGER, 
	place INTEGER, 
	series_id INTEGER, 
	note TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	expires_at TEXT, 
	cancelled_at TEXT, 
	cancelled_by VARCHAR(64), 
	reason TEXT, 
	fee_minor INTEGER, 
	sequence INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_appointments PRIMARY KEY (id), 
	CONSTRAINT ck_appointments_status CHECK (status IN ('held', 'pending', 'confirmed', 'cancelled', 'completed', 'no_show', 'lapsed')), 
	CONSTRAINT ck_appointments_seat CHECK ((engagement_id IS NULL) = (place IS NULL)), 
	CONSTRAINT ck_appointments_place CHECK (place IS NULL OR (place >= 0 AND place < capacity)), 
	CONSTRAINT ck_appointments_left CHECK (place IS NULL OR status NOT IN ('cancelled', 'lapsed')), 
	CONSTRAINT ck_appointments_fee_minor CHECK (fee_minor IS NULL OR (fee_minor >= 0 AND fee_minor <= price_minor)), 
	CONSTRAINT ck_appointments_span CHECK (starts_at < ends_at), 
	CONSTRAINT uq_appointments_engagement_id_place UNIQUE (engagement_id, place), 
	CONSTRAINT fk_appointments_engagement_id_engagements FOREIGN KEY(engagement_id, capacity) REFERENCES engagements (id, capacity)
);
CREATE TABLE audit_log (
	id INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	user_id INTEGER, 
	key_id INTEGER, 
	action VARCHAR(64) NOT NULL, 
	entity_type VARCHAR(64) NOT NULL, 
	entity_id VARCHAR(64) NOT NULL, 
	old_values TEXT, 
	new_values TEXT, 
	address VARCHAR(64) NOT NULL, 
	user_agent VARCHAR(512) NOT NULL, 
	request_id VARCHAR(128) NOT NULL, 
	row_hash BLOB NOT NULL, 
	seal_number INTEGER, 
	seal_hash BLOB, 
	CONSTRAINT pk_audit_log PRIMARY KEY (id), 
	CONSTRAINT uq_audit_log_seal_number UNIQUE (seal_number)
);
CREATE TABLE audit_seal (
	id SMALLINT NOT NULL, 
	seal_number INTEGER NOT NULL, 
	seal_hash BLOB NOT NULL, 
	CONSTRAINT pk_audit_seal PRIMARY KEY (id)
);
INSERT INTO "audit_seal" VALUES(1,0,X'');
CREATE TABLE availability (
	user_id INTEGER NOT NULL, 
	timezone VARCHAR(64) NOT NULL, 
	weekly TEXT NOT NULL, 
	exceptions TEXT NOT NULL, 
	closures TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_availability PRIMARY KEY (user_id)
);
CREATE TABLE bus_queue (
	position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	event_id VARCHAR(36) NOT NULL, 
	sent BOOLEAN NOT NULL, 
	CONSTRAINT uq_bus_queue_event_id UNIQUE (event_id), 
	CONSTRAINT fk_bus_queue_event_id_outbox FOREIGN KEY(event_id) REFERENCES outbox (id) ON DELETE CASCADE
);
CREATE TABLE bus_state (
	id SMALLINT NOT NULL, 
	holder VARCHAR(64), 
	lease_until TEXT, 
	mark VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_bus_state PRIMARY KEY (id), 
	CONSTRAINT ck_bus_state_one_row CHECK (id = 1)
);
INSERT INTO "bus_state" VALUES(1,NULL,NULL,'');
CREATE TABLE calendar_feeds (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	created_at TEXT NOT NULL, 
	revoked_at TEXT, 
	CONSTRAINT pk_calendar_feeds PRIMARY KEY (id), 
	CONSTRAINT uq_calendar_feeds_digest UNIQUE (digest)
);
CREATE TABLE call_events (
	event_id VARCHAR(200) NOT NULL, 
	call_id VARCHAR(200) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	phone INTEGER NOT NULL, 
	occurred_at TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_call_events PRIMARY KEY (event_id), 
	CONSTRAINT ck_call_events_type CHECK (type IN ('call_started', 'call_ended', 'call_result'))
);
CREATE TABLE calls (
	call_id VARCHAR(200) NOT NULL, 
	phone INTEGER NOT NULL, 
	project_id INTEGER, 
	number_id INTEGER, 
	began_at TEXT, 
	started_at TEXT, 
	ended_at TEXT, 
	result VARCHAR(16), 
	cause VARCHAR(32), 
	result_at TEXT, 
	result_event VARCHAR(200), 
	result_data TEXT, 
	swept_at TEXT, 
	updated_at TEXT NOT NULL, 
	CONSTRAINT pk_calls PRIMARY KEY (call_id)
);
CREATE TABLE client_profiles (
	user_id INTEGER NOT NULL, 
	last_name VARCHAR(200) NOT NULL, 
	first_name VARCHAR(200) NOT NULL, 
	middle_name VARCHAR(200) NOT NULL, 
	birthday DATE, 
	sex VARCHAR(8), 
	address VARCHAR(1000) NOT NULL, 
	inn VARCHAR(12), 
	financial_position_id INTEGER, 
	user_type_id INTEGER, 
	updated_at TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_client_profiles PRIMARY KEY (user_id), 
	CONSTRAINT ck_client_profiles_sex CHECK (sex IN ('female', 'male')), 
	CONSTRAINT fk_client_profiles_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_client_profiles_financial_position_id_financial_positions FOREIGN KEY(financial_position_id) REFERENCES financial_positions (id), 
	CONSTRAINT fk_client_profiles_user_type_id_user_types FOREIGN KEY(user_type_id) REFERENCES user_types (id)
);
CREATE TABLE contract_documents (
	contract_id INTEGER NOT NULL, 
	document_id INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	linked_at TEXT NOT NULL, 
	linked_by VARCHAR(64) NOT NULL, 
	moved_at TEXT NOT NULL, 
	CONSTRAINT pk_contract_documents PRIMARY KEY (contract_id, document_id), 
	CONSTRAINT ck_contract_documents_status CHECK (status IN ('active', 'revoked', 'archived')), 
	CONSTRAINT fk_contract_documents_contract_id_contracts FOREIGN KEY(contract_id) REFERENCES contracts (id), 
	CONSTRAINT fk_contract_documents_document_id_documents FOREIGN KEY(document_id) REFERENCES documents (id)
);
CREATE TABLE contracts (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	description VARCHAR(1000) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by VARCHAR(64) NOT NULL, 
	updated_at TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_contracts PRIMARY KEY (id), 
	CONSTRAINT ck_contracts_status CHECK (status IN ('draft', 'active', 'closed')), 
	CONSTRAINT fk_contracts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE TABLE deliveries (
	id VARCHAR(36) NOT NULL, 
	notice_id VARCHAR(36) NOT NULL, 
	channel VARCHAR(16) NOT NULL, 
	target TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempt INTEGER NOT NULL, 
	error TEXT, 
	created_at TEXT NOT NULL, 
	sent_at TEXT, 
	CONSTRAINT pk_deliveries PRIMARY KEY (id), 
	CONSTRAINT ck_deliveries_channel CHECK (channel IN ('email', 'sms', 'webpush', 'inbox', 'webhook')), 
	CONSTRAINT ck_deliveries_state CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'withdrawn')), 
	CONSTRAINT uq_deliveries_notice_id_channel_target UNIQUE (notice_id, channel, target), 
	CONSTRAINT fk_deliveries_notice_id_notices FOREIGN KEY(notice_id) REFERENCES notices (id) ON DELETE CASCADE
);
CREATE TABLE delivery_attempts (
	delivery_id VARCHAR(36) NOT NULL, 
	number INTEGER NOT NULL, 
	started_at TEXT NOT NULL, 
	ended_at TEXT, 
	outcome VARCHAR(16), 
	answer TEXT, 
	CONSTRAINT pk_delivery_attempts PRIMARY KEY (delivery_id, number), 
	CONSTRAINT ck_delivery_attempts_outcome CHECK (outcome IN ('sent', 'deferred', 'refused', 'unsure')), 
	CONSTRAINT fk_delivery_attempts_delivery_id_deliveries FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
);
CREATE TABLE digest_items (
	notice_id VARCHAR(36) NOT NULL, 
	user_id INTEGER NOT NULL, 
	due_at TEXT NOT NULL, 
	title TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_digest_items PRIMARY KEY (notice_id), 
	CONSTRAINT fk_digest_items_notice_id_notices FOREIGN KEY(notice_id) REFERENCES notices (id) ON DELETE CASCADE
);
CREATE TABLE document_categories (
	id INTEGER NOT NULL, 
	code VARCHAR(64) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	folded_name VARCHAR(400) NOT NULL, 
	processing_days INTEGER NOT NULL, 
	retention_days INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_document_categories PRIMARY KEY (id), 
	CONSTRAINT uq_document_categories_code UNIQUE (code), 
	CONSTRAINT uq_document_categories_folded_name UNIQUE (folded_name), 
	CONSTRAINT ck_document_categories_processing_days CHECK (processing_days BETWEEN 0 AND 3650), 
	CONSTRAINT ck_document_categories_retention_days CHECK (retention_days BETWEEN 0 AND 36500)
);
INSERT INTO "document_categories" VALUES(1,'passport','Паспорт','паспорт',1,1825,'2026-11-21T00:00:00.000000Z');
INSERT INTO "document_categories" VALUES(2,'contracts','Договоры','договоры',5,1825,'2026-11-21T00:00:00.000000Z');
INSERT INTO "document_categories" VALUES(3,'income','Справки о доходах','справки о доходах',3,1825,'2026-11-21T00:00:00.000000Z');
INSERT INTO "document_categories" VALUES(4,'finance','Финансы','финансы',5,1825,'2026-11-21T00:00:00.000000Z');
INSERT INTO "document_categories" VALUES(5,'founding','Учредительные документы','учредительные документы',5,3650,'2026-11-21T00:00:00.000000Z');
INSERT INTO "document_categories" VALUES(6,'questionnaires','Анкеты','анкеты',3,1825,'2026-11-21T00:00:00.000000Z');
INSERT INTO "document_categories" VALUES(7,'other','Прочее','прочее',5,1825,'2026-11-21T00:00:00.000000Z');
CREATE TABLE document_history (
	document_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	at TEXT NOT NULL, 
	"by" VARCHAR(64) NOT NULL, 
	user_id INTEGER, 
	comment VARCHAR(1000), 
	CONSTRAINT pk_document_history PRIMARY KEY (document_id, number), 
	CONSTRAINT ck_document_history_status CHECK (status IN ('pending', 'quarantined', 'in_review', 'needs_info', 'approved', 'rejected', 'processed', 'archived')), 
	CONSTRAINT fk_document_history_document_id_documents FOREIGN KEY(document_id) REFERENCES documents (id), 
	CONSTRAINT fk_document_history_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE TABLE document_texts (
	document_id INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_document_texts PRIMARY KEY (document_id), 
	CONSTRAINT fk_document_texts_document_id_documents FOREIGN KEY(document_id) REFERENCES documents (id)
);
CREATE TABLE documents (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	worker_id INTEGER, 
	category_id INTEGER NOT NULL, 
	description VARCHAR(1000) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	uploaded_at TEXT NOT NULL, 
	uploaded_by VARCHAR(64) NOT NULL, 
	actual_date DATE, 
	actual_end_date DATE, 
	plan_maturity_date DATE NOT NULL, 
	fact_maturity_date DATE, 
	blob_id VARCHAR(36) NOT NULL, 
	file_name VARCHAR(255) NOT NULL, 
	media_type VARCHAR(100) NOT NULL, 
	size INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	pages INTEGER, 
	scan VARCHAR(8) NOT NULL, 
	moved_at TEXT NOT NULL, 
	moved_by VARCHAR(64) NOT NULL, 
	overdue_at TEXT, 
	is_held BOOLEAN NOT NULL, 
	retained_until DATE, 
	is_file_removed BOOLEAN NOT NULL, 
	deleted_at TEXT, 
	abs_reference VARCHAR(200), 
	abs_sync VARCHAR(16) NOT NULL, 
	version INTEGER NOT NULL, 
	search TEXT NOT NULL, 
	CONSTRAINT pk_documents PRIMARY KEY (id), 
	CONSTRAINT ck_documents_status CHECK (status IN ('pending', 'quarantined', 'in_review', 'needs_info', 'approved', 'rejected', 'processed', 'archived')), 
	CONSTRAINT ck_documents_media_type CHECK (media_type IN ('application/pdf', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'image/png', 'image/jpeg')), 
	CONSTRAINT ck_documents_scan CHECK (scan IN ('waiting', 'clean', 'infected')), 
	CONSTRAINT ck_documents_abs_sync CHECK (abs_sync IN ('not_sent', 'queued', 'sent', 'accepted', 'failed')), 
	CONSTRAINT ck_documents_size CHECK (size > 0), 
	CONSTRAINT ck_documents_actual_dates CHECK (actual_date <= actual_end_date), 
	CONSTRAINT ck_documents_reviewed_only_clean CHECK (scan = 'clean' OR status IN ('pending', 'quarantined')), 
	CONSTRAINT uq_documents_blob_id UNIQUE (blob_id), 
	CONSTRAINT fk_documents_user_id_users FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT fk_documents_worker_id_users FOREIGN KEY(worker_id) REFERENCES users (id), 
	CONSTRAINT fk_documents_category_id_document_categories FOREIGN KEY(category_id) REFERENCES document_categories (id)
);
CREATE TABLE engagements (
	id INTEGER NOT NULL, 
	staff_id INTEGER NOT NULL, 
	service_id INTEGER NOT NULL, 
	start_min INTEGER NOT NULL, 
	busy_from_min INTEGER NOT NULL, 
	busy_until_min INTEGER NOT NULL, 
	capacity INTEGER NOT NULL, 
	CONSTRAINT pk_engagements PRIMARY KEY (id), 
	CONSTRAINT ck_engagements_staff_id CHECK (staff_id > 0 AND staff_id < 34359738368), 
	CONSTRAINT ck_engagements_span CHECK (busy_from_min >= 0 AND busy_until_min < 268435456 AND busy_from_min <= start_min AND start_min < busy_until_min AND busy_until_min - busy_from_min <= 4320), 
	CONSTRAINT uq_engagements_id_capacity UNIQUE (id, capacity)
);
CREATE TABLE exports (
	id VARCHAR(36) NOT NULL, 
	job_id VARCHAR(36) NOT NULL, 
	owner VARCHAR(64) NOT NULL, 
	profile_ids TEXT NOT NULL, 
	format VARCHAR(8) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	requested_at TEXT NOT NULL, 
	completed_at TEXT, 
	expires_at TEXT, 
	error TEXT, 
	size INTEGER, 
	sha256 VARCHAR(64), 
	is_file_removed BOOLEAN NOT NULL, 
	CONSTRAINT pk_exports PRIMARY KEY (id), 
	CONSTRAINT ck_exports_format CHECK (format IN ('json', 'pdf')), 
	CONSTRAINT ck_exports_status CHECK (status IN ('queued', 'running', 'completed', 'failed')), 
	CONSTRAINT uq_exports_job_id UNIQUE (job_id)
);
CREATE TABLE financial_positions (
	id INTEGER NOT NULL, 
	code VARCHAR(64) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_financial_positions PRIMARY KEY (id), 
	CONSTRAINT uq_financial_positions_code UNIQUE (code)
);
INSERT INTO "financial_positions" VALUES(1,'stable','Стабильный');
INSERT INTO "financial_positions" VALUES(2,'watched','Под наблюдением');
INSERT INTO "financial_positions" VALUES(3,'critical','Критический');
CREATE TABLE generation_attempts (
	text_id VARCHAR(36) NOT NULL, 
	number INTEGER NOT NULL, 
	engine VARCHAR(64) NOT NULL, 
	outcome VARCHAR(64) NOT NULL, 
	reference VARCHAR(200), 
	started_at TEXT NOT NULL, 
	ended_at TEXT, 
	CONSTRAINT pk_generation_attempts PRIMARY KEY (text_id, number), 
	CONSTRAINT fk_generation_attempts_text_id_generations FOREIGN KEY(text_id) REFERENCES generations (id)
);
CREATE TABLE generation_words (
	text_id VARCHAR(36) NOT NULL, 
	attempt INTEGER NOT NULL, 
	place INTEGER NOT NULL, 
	words TEXT NOT NULL, 
	CONSTRAINT pk_generation_words PRIMARY KEY (text_id, attempt, place), 
	CONSTRAINT fk_generation_words_text_id_generations FOREIGN KEY(text_id) REFERENCES generations (id)
);
CREATE TABLE generations (
	id VARCHAR(36) NOT NULL, 
	owner VARCHAR(64) NOT NULL, 
	user_id INTEGER, 
	function VARCHAR(64) NOT NULL, 
	prompt_id INTEGER, 
	prompt_version INTEGER, 
	wish TEXT NOT NULL, 
	mode VARCHAR(8) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	priority SMALLINT NOT NULL, 
	job_id VARCHAR(36), 
	leader_id VARCHAR(36), 
	cache_key VARCHAR(64), 
	is_cached BOOLEAN NOT NULL, 
	notify BOOLEAN NOT NULL, 
	attempts INTEGER NOT NULL, 
	content TEXT, 
	finish VARCHAR(16), 
	usage TEXT, 
	engine VARCHAR(64), 
	model VARCHAR(100), 
	error VARCHAR(64), 
	error_detail TEXT, 
	request_id VARCHAR(128) NOT NULL, 
	requested_at TEXT NOT NULL, 
	started_at TEXT, 
	ended_at TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_generations PRIMARY KEY (id), 
	CONSTRAINT ck_generations_mode CHECK (mode IN ('auto', 'sync', 'async', 'stream')), 
	CONSTRAINT ck_generations_status CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')), 
	CONSTRAINT ck_generations_ended_at CHECK ((ended_at IS NULL) = (status IN ('queued', 'running'))), 
	CONSTRAINT ck_generations_content CHECK (status <> 'completed' OR content IS NOT NULL)
);
CREATE TABLE geo (
	id INTEGER NOT NULL, 
	country_code VARCHAR(10) NOT NULL, 
	region VARCHAR(255), 
	city VARCHAR(255), 
	timezone VARCHAR(64), 
	created_at TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	search TEXT NOT NULL, 
	CONSTRAINT pk_geo PRIMARY KEY (id)
);
CREATE TABLE id_sequences (
	name TEXT NOT NULL, 
	value INTEGER, 
	CONSTRAINT pk_id_sequences PRIMARY KEY (name)
);
INSERT INTO "id_sequences" VALUES('audit_log',0);
INSERT INTO "id_sequences" VALUES('users',0);
INSERT INTO "id_sequences" VALUES('api_keys',0);
INSERT INTO "id_sequences" VALUES('sessions',0);
INSERT INTO "id_sequences" VALUES('profiles',0);
INSERT INTO "id_sequences" VALUES('push_subscriptions',0);
INSERT INTO "id_sequences" VALUES('webhook_endpoints',0);
INSERT INTO "id_sequences" VALUES('documents',0);
INSERT INTO "id_sequences" VALUES('document_categories',99);
INSERT INTO "id_sequences" VALUES('abs_packets',0);
INSERT INTO "id_sequences" VALUES('abs_tickets',0);
INSERT INTO "id_sequences" VALUES('contracts',0);
INSERT INTO "id_sequences" VALUES('projects',0);
INSERT INTO "id_sequences" VALUES('providers',0);
INSERT INTO "id_sequences" VALUES('geo',0);
INSERT INTO "id_sequences" VALUES('phone_numbers',0);
INSERT INTO "id_sequences" VALUES('suppressions',0);
INSERT INTO "id_sequences" VALUES('project_conversions',0);
INSERT INTO "id_sequences" VALUES('transfers',0);
INSERT INTO "id_sequences" VALUES('services',0);
INSERT INTO "id_sequences" VALUES('appointments',0);
INSERT INTO "id_sequences" VALUES('appointment_series',0);
INSERT INTO "id_sequences" VALUES('waitlist',0);
INSERT INTO "id_sequences" VALUES('calendar_feeds',0);
INSERT INTO "id_sequences" VALUES('payments',0);
INSERT INTO "id_sequences" VALUES('refunds',0);
INSERT INTO "id_sequences" VALUES('subscriptions',0);
INSERT INTO "id_sequences" VALUES('prompts',3);
CREATE TABLE idempotency_keys (
	caller VARCHAR(64) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	fingerprint BLOB NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	token VARCHAR(32) NOT NULL, 
	lease_until TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	status SMALLINT, 
	headers TEXT, 
	body BLOB, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, "key"), 
	CONSTRAINT ck_idempotency_keys_state CHECK (state IN ('running', 'committed', 'done'))
);
CREATE TABLE inbox (
	user_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	notice_id VARCHAR(36) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	title TEXT NOT NULL, 
	text TEXT NOT NULL, 
	data TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	read_at TEXT, 
	CONSTRAINT pk_inbox PRIMARY KEY (user_id, number)
);
CREATE TABLE inbox_heads (
	user_id INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	CONSTRAINT pk_inbox_heads PRIMARY KEY (user_id)
);
CREATE TABLE jobs (
	id VARCHAR(36) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	priority SMALLINT NOT NULL, 
	run_at TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	attempts_max INTEGER NOT NULL, 
	lease_id VARCHAR(32), 
	lease_until TEXT, 
	cancel_requested BOOLEAN NOT NULL, 
	progress_done INTEGER NOT NULL, 
	progress_total INTEGER NOT NULL, 
	payload TEXT NOT NULL, 
	result TEXT, 
	error TEXT, 
	dedup_key VARCHAR(200), 
	request_id VARCHAR(128) NOT NULL, 
	created_at TEXT NOT NULL, 
	finished_at TEXT, 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT ck_jobs_state CHECK (state IN ('queued', 'running', 'succeeded', 'dead', 'cancelled')), 
	CONSTRAINT uq_jobs_dedup_key UNIQUE (dedup_key)
);
CREATE TABLE known_devices (
	user_id INTEGER NOT NULL, 
	mark BLOB NOT NULL, 
	first_seen_at TEXT NOT NULL, 
	last_seen_at TEXT NOT NULL, 
	CONSTRAINT pk_known_devices PRIMARY KEY (user_id, mark), 
	CONSTRAINT fk_known_devices_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE ledger_accounts (
	id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	user_id INTEGER, 
	has_balance BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_ledger_accounts PRIMARY KEY (id), 
	CONSTRAINT ck_ledger_accounts_kind CHECK (kind IN ('person', 'provider', 'revenue', 'adjustments', 'losses')), 
	CONSTRAINT ck_ledger_accounts_user_id CHECK ((kind = 'person') = (user_id IS NOT NULL)), 
	CONSTRAINT ck_ledger_accounts_has_balance CHECK (kind <> 'person' OR has_balance), 
	CONSTRAINT uq_ledger_accounts_name_currency UNIQUE (name, currency), 
	CONSTRAINT uq_ledger_accounts_id_currency UNIQUE (id, currency)
);
CREATE TABLE ledger_balances (
	account_id INTEGER NOT NULL, 
	posted_minor INTEGER NOT NULL, 
	held_minor INTEGER NOT NULL, 
	floor_minor INTEGER NOT NULL, 
	last_entry_id INTEGER NOT NULL, 
	CONSTRAINT pk_ledger_balances PRIMARY KEY (account_id), 
	CONSTRAINT ck_ledger_balances_floor CHECK (posted_minor - held_minor >= floor_minor), 
	CONSTRAINT ck_ledger_balances_held_minor CHECK (held_minor >= 0), 
	CONSTRAINT ck_ledger_balances_range CHECK (posted_minor BETWEEN -9000000000000000000 AND 9000000000000000000), 
	CONSTRAINT fk_ledger_balances_account_id_ledger_accounts FOREIGN KEY(account_id) REFERENCES ledger_accounts (id)
);
CREATE TABLE ledger_entries (
	id INTEGER NOT NULL, 
	transfer_id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	CONSTRAINT pk_ledger_entries PRIMARY KEY (id), 
	CONSTRAINT ck_ledger_entries_amount_minor CHECK (amount_minor <> 0 AND amount_minor = CAST(amount_minor AS bigint)), 
	CONSTRAINT ck_ledger_entries_range CHECK (amount_minor BETWEEN -1000000000000000 AND 1000000000000000), 
	CONSTRAINT fk_ledger_entries_account_id_ledger_accounts FOREIGN KEY(account_id, currency) REFERENCES ledger_accounts (id, currency), 
	CONSTRAINT fk_ledger_entries_transfer_id_ledger_transfers FOREIGN KEY(transfer_id) REFERENCES ledger_transfers (id)
);
CREATE TABLE ledger_holds (
	id INTEGER NOT NULL, 
	"key" VARCHAR(100) NOT NULL, 
	account_id INTEGER NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	captured_minor INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	cause VARCHAR(100) NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT, 
	resolved_at TEXT, 
	CONSTRAINT pk_ledger_holds PRIMARY KEY (id), 
	CONSTRAINT ck_ledger_holds_state CHECK (state IN ('pending', 'captured', 'voided', 'expired')), 
	CONSTRAINT ck_ledger_holds_amount_minor CHECK (amount_minor BETWEEN 1 AND 1000000000000000 AND amount_minor = CAST(amount_minor AS bigint)), 
	CONSTRAINT ck_ledger_holds_captured_minor CHECK (captured_minor BETWEEN 0 AND amount_minor), 
	CONSTRAINT ck_ledger_holds_captured CHECK ((captured_minor > 0) = (state = 'captured')), 
	CONSTRAINT ck_ledger_holds_resolved_at CHECK ((resolved_at IS NULL) = (state = 'pending')), 
	CONSTRAINT uq_ledger_holds_key UNIQUE ("key"), 
	CONSTRAINT fk_ledger_holds_account_id_ledger_balances FOREIGN KEY(account_id) REFERENCES ledger_balances (account_id)
);
CREATE TABLE ledger_seals (
	transfer_id INTEGER NOT NULL, 
	CONSTRAINT pk_ledger_seals PRIMARY KEY (transfer_id)
);
CREATE TABLE ledger_transfers (
	id INTEGER NOT NULL, 
	"key" VARCHAR(100) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	cause VARCHAR(100) NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_ledger_transfers PRIMARY KEY (id), 
	CONSTRAINT uq_ledger_transfers_key UNIQUE ("key"), 
	CONSTRAINT fk_ledger_transfers_id_ledger_seals FOREIGN KEY(id) REFERENCES ledger_seals (transfer_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE notices (
	id VARCHAR(36) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	user_id INTEGER, 
	email VARCHAR(254), 
	locale VARCHAR(35), 
	data TEXT NOT NULL, 
	secret_sealed BLOB, 
	dedup_key VARCHAR(200), 
	about VARCHAR(100) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	fire_at TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_notices PRIMARY KEY (id), 
	CONSTRAINT ck_notices_state CHECK (state IN ('waiting', 'fired', 'skipped', 'withdrawn')), 
	CONSTRAINT uq_notices_dedup_key UNIQUE (dedup_key)
);
CREATE TABLE notification_preferences (
	user_id INTEGER NOT NULL, 
	channels TEXT NOT NULL, 
	quiet_hours TEXT, 
	timezone VARCHAR(64) NOT NULL, 
	language VARCHAR(8), 
	digest VARCHAR(8) NOT NULL, 
	phone VARCHAR(16), 
	CONSTRAINT pk_notification_preferences PRIMARY KEY (user_id), 
	CONSTRAINT ck_notification_preferences_digest CHECK (digest IN ('off', 'daily'))
);
CREATE TABLE number_counts (
	project_id INTEGER NOT NULL, 
	status SMALLINT NOT NULL, 
	numbers INTEGER NOT NULL, 
	CONSTRAINT pk_number_counts PRIMARY KEY (project_id, status)
);
CREATE TABLE number_deltas (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	status SMALLINT NOT NULL, 
	delta INTEGER NOT NULL, 
	CONSTRAINT pk_number_deltas PRIMARY KEY (id)
);
CREATE TABLE numbering_ranges (
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	operator VARCHAR(255) NOT NULL, 
	region VARCHAR(400) NOT NULL, 
	zones TEXT NOT NULL, 
	CONSTRAINT pk_numbering_ranges PRIMARY KEY (first)
);
CREATE TABLE numbering_registry (
	id SMALLINT NOT NULL, 
	version INTEGER NOT NULL, 
	ranges INTEGER NOT NULL, 
	loaded_at TEXT, 
	CONSTRAINT pk_numbering_registry PRIMARY KEY (id)
);
INSERT INTO "numbering_registry" VALUES(1,0,0,NULL);
CREATE TABLE one_time_tokens (
	digest BLOB NOT NULL, 
	purpose VARCHAR(16) NOT NULL, 
	user_id INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	CONSTRAINT pk_one_time_tokens PRIMARY KEY (digest), 
	CONSTRAINT ck_one_time_tokens_purpose CHECK (purpose IN ('verify_email', 'reset_password', 'finish_login')), 
	CONSTRAINT fk_one_time_tokens_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE operation_statuses (
	id INTEGER NOT NULL, 
	code VARCHAR(64) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_operation_statuses PRIMARY KEY (id), 
	CONSTRAINT uq_operation_statuses_code UNIQUE (code)
);
INSERT INTO "operation_statuses" VALUES(1,'success','Успешно');
INSERT INTO "operation_statuses" VALUES(2,'error','Ошибка');
INSERT INTO "operation_statuses" VALUES(3,'needs_check','Требует проверки');
INSERT INTO "operation_statuses" VALUES(4,'revoked','Отозвано');
INSERT INTO "operation_statuses" VALUES(5,'active','Активен');
INSERT INTO "operation_statuses" VALUES(6,'archived','Архивирован');
INSERT INTO "operation_statuses" VALUES(7,'pending','Ожидает обработки');
INSERT INTO "operation_statuses" VALUES(8,'in_review','В обработке');
INSERT INTO "operation_statuses" VALUES(9,'needs_info','Нужны сведения');
INSERT INTO "operation_statuses" VALUES(10,'approved','Подтверждён');
INSERT INTO "operation_statuses" VALUES(11,'rejected','Отклонён');
INSERT INTO "operation_statuses" VALUES(12,'processed','Исполнен');
INSERT INTO "operation_statuses" VALUES(13,'quarantined','В карантине');
CREATE TABLE outbox (
	id VARCHAR(36) NOT NULL, 
	topic VARCHAR(64) NOT NULL, 
	subject VARCHAR(64) NOT NULL, 
	payload TEXT NOT NULL, 
	at TEXT NOT NULL, 
	dispatched_at TEXT, 
	CONSTRAINT pk_outbox PRIMARY KEY (id)
);
CREATE TABLE payment_notices (
	id INTEGER NOT NULL, 
	provider VARCHAR(32) NOT NULL, 
	event_id VARCHAR(200) NOT NULL, 
	type VARCHAR(100) NOT NULL, 
	payment_id INTEGER, 
	body TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	applied_at TEXT, 
	CONSTRAINT pk_payment_notices PRIMARY KEY (id), 
	CONSTRAINT uq_payment_notices_provider_event_id UNIQUE (provider, event_id)
);
CREATE TABLE payments (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	provider VARCHAR(32) NOT NULL, 
	"key" VARCHAR(36) NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	description VARCHAR(200) NOT NULL, 
	return_url TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	provider_ref VARCHAR(200), 
	confirmation_url TEXT, 
	reason VARCHAR(200), 
	refunding_minor INTEGER NOT NULL, 
	refunded_minor INTEGER NOT NULL, 
	settled_at TEXT, 
	checks INTEGER NOT NULL, 
	next_check_at TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_payments PRIMARY KEY (id), 
	CONSTRAINT ck_payments_status CHECK (status IN ('created', 'unknown', 'pending', 'cancelled', 'succeeded')), 
	CONSTRAINT ck_payments_amount_minor CHECK (amount_minor BETWEEN 1 AND 1000000000000000 AND amount_minor = CAST(amount_minor AS bigint)), 
	CONSTRAINT ck_payments_refunds CHECK (refunding_minor >= 0 AND refunded_minor >= 0 AND refunding_minor + refunded_minor <= amount_minor), 
	CONSTRAINT ck_payments_taken CHECK (status = 'succeeded' OR refunding_minor + refunded_minor = 0), 
	CONSTRAINT uq_payments_key UNIQUE ("key"), 
	CONSTRAINT uq_payments_provider_provider_ref UNIQUE (provider, provider_ref)
);
CREATE TABLE phone_numbers (
	id INTEGER NOT NULL, 
	phone INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	next_call_at TEXT NOT NULL, 
	project_id INTEGER NOT NULL, 
	status SMALLINT NOT NULL, 
	zone_set SMALLINT NOT NULL, 
	attempts SMALLINT NOT NULL, 
	cause SMALLINT, 
	provider_id INTEGER, 
	geo_id INTEGER, 
	import_number INTEGER, 
	last_call_at TEXT, 
	counted_from TEXT, 
	lease_until TEXT, 
	result_data TEXT, 
	CONSTRAINT pk_phone_numbers PRIMARY KEY (id), 
	CONSTRAINT uq_phone_numbers_phone_project_id UNIQUE (phone, project_id)
);
CREATE TABLE plan_versions (
	code VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	rank INTEGER NOT NULL, 
	names TEXT NOT NULL, 
	price_minor INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	features TEXT NOT NULL, 
	limits TEXT NOT NULL, 
	options TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_plan_versions PRIMARY KEY (code, version), 
	CONSTRAINT ck_plan_versions_price_minor CHECK (price_minor >= 0), 
	CONSTRAINT ck_plan_versions_version CHECK (version > 0)
);
INSERT INTO "plan_versions" VALUES('free',1,0,'{"ru": "Бесплатный", "en": "Free"}',0,'RUB','["generate.post", "generate.summary", "generate.chat", "generate.own"]','[{"feature": "generate.requests", "period": "month", "units": 100}, {"feature": "generate.tokens", "period": "month", "units": 250000}]','{"generate.priority": "low", "generate.max_tokens": 2048}','2026-11-21T00:00:00.000000Z');
INSERT INTO "plan_versions" VALUES('standard',1,10,'{"ru": "Стандартный", "en": "Standard"}',49000,'RUB','["generate.post", "generate.article", "generate.summary", "generate.chat", "generate.own"]','[{"feature": "generate.requests", "period": "day", "units": 200}, {"feature": "generate.requests", "period": "month", "units": 3000}, {"feature": "generate.tokens", "period": "month", "units": 3000000}]','{"generate.priority": "normal", "generate.max_tokens": 8192}','2026-11-21T00:00:00.000000Z');
INSERT INTO "plan_versions" VALUES('premium',1,20,'{"ru": "Премиум", "en": "Premium"}',199000,'RUB','["generate.*"]','[{"feature": "generate.requests", "period": "day", "units": 2000}, {"feature": "generate.requests", "period": "month", "units": 30000}, {"feature": "generate.tokens", "period": "month", "units": 30000000}]','{"generate.priority": "high", "generate.max_tokens": 32768}','2026-11-21T00:00:00.000000Z');
CREATE TABLE plans (
	code VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	is_offered BOOLEAN NOT NULL, 
	CONSTRAINT pk_plans PRIMARY KEY (code), 
	CONSTRAINT fk_plans_code_plan_versions FOREIGN KEY(code, version) REFERENCES plan_versions (code, version)
);
INSERT INTO "plans" VALUES('free',1,1);
INSERT INTO "plans" VALUES('standard',1,1);
INSERT INTO "plans" VALUES('premium',1,1);
CREATE TABLE profiles (
	id INTEGER NOT NULL, 
	source_key VARCHAR(64) NOT NULL, 
	locale VARCHAR(8) NOT NULL, 
	seed INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	as_of VARCHAR(10) NOT NULL, 
	data_version SMALLINT NOT NULL, 
	recipe TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT, 
	deleted_at TEXT, 
	search TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_profiles PRIMARY KEY (id)
);
CREATE TABLE project_conversions (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	calculated_at TEXT NOT NULL, 
	total_numbers INTEGER NOT NULL, 
	processed_numbers INTEGER NOT NULL, 
	success_numbers INTEGER NOT NULL, 
	failed_numbers INTEGER NOT NULL, 
	CONSTRAINT pk_project_conversions PRIMARY KEY (id), 
	CONSTRAINT uq_project_conversions_project_id_calculated_at UNIQUE (project_id, calculated_at), 
	CONSTRAINT fk_project_conversions_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE project_geo (
	project_id INTEGER NOT NULL, 
	geo_id INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_project_geo PRIMARY KEY (project_id, geo_id), 
	CONSTRAINT fk_project_geo_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE, 
	CONSTRAINT fk_project_geo_geo_id_geo FOREIGN KEY(geo_id) REFERENCES geo (id)
);
CREATE TABLE project_managers (
	project_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	granted_by VARCHAR(64) NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_project_managers PRIMARY KEY (project_id, user_id), 
	CONSTRAINT fk_project_managers_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE, 
	CONSTRAINT fk_project_managers_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE project_providers (
	project_id INTEGER NOT NULL, 
	provider_id INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_project_providers PRIMARY KEY (project_id, provider_id), 
	CONSTRAINT fk_project_providers_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE, 
	CONSTRAINT fk_project_providers_provider_id_providers FOREIGN KEY(provider_id) REFERENCES providers (id)
);
CREATE TABLE project_schedules (
	project_id INTEGER NOT NULL, 
	position SMALLINT NOT NULL, 
	weekday SMALLINT NOT NULL, 
	start_minute SMALLINT NOT NULL, 
	end_minute SMALLINT NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	CONSTRAINT pk_project_schedules PRIMARY KEY (project_id, position), 
	CONSTRAINT fk_project_schedules_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE TABLE projects (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	description TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	timezone VARCHAR(64) NOT NULL, 
	zone_mode VARCHAR(16) NOT NULL, 
	holidays TEXT NOT NULL, 
	attempts_max SMALLINT NOT NULL, 
	in_progress_max INTEGER, 
	created_by VARCHAR(64) NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	deleted_at TEXT, 
	version INTEGER NOT NULL, 
	search TEXT NOT NULL, 
	CONSTRAINT pk_projects PRIMARY KEY (id), 
	CONSTRAINT ck_projects_status CHECK (status IN ('active', 'paused')), 
	CONSTRAINT ck_projects_zone_mode CHECK (zone_mode IN ('number', 'project'))
);
INSERT INTO "projects" VALUES(0,'','','paused','UTC','number','[]',1,NULL,'opora','1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z',NULL,1,'');
CREATE TABLE prompt_labels (
	prompt_id INTEGER NOT NULL, 
	label VARCHAR(32) NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_prompt_labels PRIMARY KEY (prompt_id, label), 
	CONSTRAINT fk_prompt_labels_prompt_id_prompts FOREIGN KEY(prompt_id) REFERENCES prompts (id)
);
INSERT INTO "prompt_labels" VALUES(1,'production',1);
INSERT INTO "prompt_labels" VALUES(2,'production',1);
INSERT INTO "prompt_labels" VALUES(3,'production',1);
CREATE TABLE prompt_versions (
	prompt_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	template TEXT NOT NULL, 
	system TEXT NOT NULL, 
	variables TEXT NOT NULL, 
	max_tokens INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_prompt_versions PRIMARY KEY (prompt_id, version), 
	CONSTRAINT fk_prompt_versions_prompt_id_prompts FOREIGN KEY(prompt_id) REFERENCES prompts (id)
);
INSERT INTO "prompt_versions" VALUES(1,1,'{% if language == "en" %}Write a post for a social network about: {{ topic }}.
{% if audience %}Its readers: {{ audience }}.
{% endif %}{% if tone %}Its tone: {{ tone }}.
{% endif %}One thought, three short paragraphs at most, a question to the readers at the end.{% else %}Напиши пост для социальной сети на тему: {{ topic }}.
{% if audience %}Читатели: {{ audience }}.
{% endif %}{% if tone %}Тон: {{ tone }}.
{% endif %}Одна мысль, не больше трёх коротких абзацев, в конце вопрос к читателям.{% endif %}','{% if language == "en" %}You are an experienced editor. You write in English, plainly and to the point.{% else %}Ты опытный редактор. Ты пишешь по-русски, просто и по делу.{% endif %}','[{"name": "topic", "default": null, "max_length": 2000, "description": "what to write about"}, {"name": "language", "default": "ru", "max_length": 20, "description": "ru or en"}, {"name": "audience", "default": "", "max_length": 200, "description": "who will read it"}, {"name": "tone", "default": "", "max_length": 200, "description": "how it should sound"}]',400,'2026-11-21T00:00:00.000000Z','system');
INSERT INTO "prompt_versions" VALUES(2,1,'{% if language == "en" %}Write an article on the topic: {{ topic }}.
{% if audience %}Its readers: {{ audience }}.
{% endif %}{% if tone %}Its tone: {{ tone }}.
{% endif %}A title, an opening that says what the reader will learn, four to six headed sections, a conclusion.{% else %}Напиши статью на тему: {{ topic }}.
{% if audience %}Читатели: {{ audience }}.
{% endif %}{% if tone %}Тон: {{ tone }}.
{% endif %}Заголовок, вступление о том, что узнает читатель, четыре-шесть разделов с подзаголовками, вывод.{% endif %}','{% if language == "en" %}You are an experienced editor. You write in English, plainly and to the point.{% else %}Ты опытный редактор. Ты пишешь по-русски, просто и по делу.{% endif %}','[{"name": "topic", "default": null, "max_length": 2000, "description": "what to write about"}, {"name": "language", "default": "ru", "max_length": 20, "description": "ru or en"}, {"name": "audience", "default": "", "max_length": 200, "description": "who will read it"}, {"name": "tone", "default": "", "max_length": 200, "description": "how it should sound"}]',2000,'2026-11-21T00:00:00.000000Z','system');
INSERT INTO "prompt_versions" VALUES(3,1,'{% if language == "en" %}Summarise the following text in at most five sentences. Add nothing of your own.

{{ topic }}{% else %}Перескажи следующий текст не более чем в пяти предложениях. Ничего не добавляй от себя.

{{ topic }}{% endif %}','{% if language == "en" %}You are an experienced editor. You write in English, plainly and to the point.{% else %}Ты опытный редактор. Ты пишешь по-русски, просто и по делу.{% endif %}','[{"name": "topic", "default": null, "max_length": 20000, "description": "the text to shorten"}, {"name": "language", "default": "ru", "max_length": 20, "description": "ru or en"}]',300,'2026-11-21T00:00:00.000000Z','system');
CREATE TABLE prompts (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	description TEXT NOT NULL, 
	versions INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_prompts PRIMARY KEY (id), 
	CONSTRAINT uq_prompts_name UNIQUE (name)
);
INSERT INTO "prompts" VALUES(1,'post','A short post for a social network',1,'2026-11-21T00:00:00.000000Z');
INSERT INTO "prompts" VALUES(2,'article','An article with headings',1,'2026-11-21T00:00:00.000000Z');
INSERT INTO "prompts" VALUES(3,'summary','A text made short',1,'2026-11-21T00:00:00.000000Z');
CREATE TABLE providers (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	type VARCHAR(100), 
	contact_info TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	search TEXT NOT NULL, 
	CONSTRAINT pk_providers PRIMARY KEY (id), 
	CONSTRAINT ck_providers_status CHECK (status IN ('active', 'inactive'))
);
CREATE TABLE push_subscriptions (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	endpoint TEXT NOT NULL, 
	p256dh BLOB NOT NULL, 
	auth BLOB NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_push_subscriptions PRIMARY KEY (id), 
	CONSTRAINT uq_push_subscriptions_endpoint UNIQUE (endpoint)
);
CREATE TABLE quota_holds (
	hold_id VARCHAR(64) NOT NULL, 
	feature VARCHAR(64) NOT NULL, 
	period VARCHAR(8) NOT NULL, 
	person_id INTEGER NOT NULL, 
	starts_at TEXT NOT NULL, 
	units INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_quota_holds PRIMARY KEY (hold_id, feature, period), 
	CONSTRAINT ck_quota_holds_units CHECK (units > 0), 
	CONSTRAINT fk_quota_holds_usage FOREIGN KEY(person_id, feature, period, starts_at) REFERENCES quota_usage (person_id, feature, period, starts_at)
);
CREATE TABLE quota_usage (
	person_id INTEGER NOT NULL, 
	feature VARCHAR(64) NOT NULL, 
	period VARCHAR(8) NOT NULL, 
	starts_at TEXT NOT NULL, 
	ends_at TEXT NOT NULL, 
	units INTEGER, 
	used INTEGER NOT NULL, 
	held INTEGER NOT NULL, 
	overage INTEGER NOT NULL, 
	CONSTRAINT pk_quota_usage PRIMARY KEY (person_id, feature, period, starts_at), 
	CONSTRAINT ck_quota_usage_period CHECK (period IN ('day', 'month')), 
	CONSTRAINT ck_quota_usage_span CHECK (starts_at < ends_at), 
	CONSTRAINT ck_quota_usage_counts CHECK (used >= 0 AND held >= 0 AND overage >= 0), 
	CONSTRAINT ck_quota_usage_units CHECK (units IS NULL OR used + held <= units)
);
CREATE TABLE rate_cells (
	name TEXT NOT NULL, 
	anchor_us BIGINT NOT NULL, 
	spent_us BIGINT NOT NULL, 
	interval_us BIGINT NOT NULL, 
	dead_at_us BIGINT NOT NULL, 
	CONSTRAINT pk_rate_cells PRIMARY KEY (name)
);
CREATE TABLE rate_counts (
	span TEXT NOT NULL, 
	start_s BIGINT NOT NULL, 
	subject TEXT NOT NULL, 
	allowed BIGINT NOT NULL, 
	refused BIGINT NOT NULL, 
	CONSTRAINT pk_rate_counts PRIMARY KEY (span, start_s, subject)
);
CREATE TABLE rate_denials (
	name TEXT NOT NULL, 
	until_us BIGINT NOT NULL, 
	CONSTRAINT pk_rate_denials PRIMARY KEY (name)
);
CREATE TABLE rate_epochs (
	subject TEXT NOT NULL, 
	epoch_us BIGINT NOT NULL, 
	until_us BIGINT NOT NULL, 
	CONSTRAINT pk_rate_epochs PRIMARY KEY (subject)
);
CREATE TABLE recovery_codes (
	user_id INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, digest), 
	CONSTRAINT fk_recovery_codes_user_id_second_factors FOREIGN KEY(user_id) REFERENCES second_factors (user_id) ON DELETE CASCADE
);
CREATE TABLE refresh_tokens (
	digest BLOB NOT NULL, 
	session_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	issued_at TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	used_at TEXT, 
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (digest), 
	CONSTRAINT uq_refresh_tokens_session_id_number UNIQUE (session_id, number), 
	CONSTRAINT fk_refresh_tokens_session_id_sessions FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE TABLE refunds (
	id INTEGER NOT NULL, 
	payment_id INTEGER NOT NULL, 
	"key" VARCHAR(250) NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	origin VARCHAR(16) NOT NULL, 
	requested_by VARCHAR(64) NOT NULL, 
	created_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	provider_ref VARCHAR(200), 
	note VARCHAR(200) NOT NULL, 
	reason VARCHAR(200), 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_refunds PRIMARY KEY (id), 
	CONSTRAINT ck_refunds_status CHECK (status IN ('created', 'unknown', 'pending', 'succeeded', 'failed')), 
	CONSTRAINT ck_refunds_origin CHECK (origin IN ('caller', 'provider')), 
	CONSTRAINT ck_refunds_amount_minor CHECK (amount_minor > 0 AND amount_minor = CAST(amount_minor AS bigint)), 
	CONSTRAINT uq_refunds_key UNIQUE ("key"), 
	CONSTRAINT uq_refunds_payment_id_provider_ref UNIQUE (payment_id, provider_ref), 
	CONSTRAINT fk_refunds_payment_id_payments FOREIGN KEY(payment_id) REFERENCES payments (id)
);
CREATE TABLE revoked_tokens (
	token_id VARCHAR(64) NOT NULL, 
	expires_at TEXT NOT NULL, 
	CONSTRAINT pk_revoked_tokens PRIMARY KEY (token_id)
);
CREATE TABLE schema_history (
	revision VARCHAR(32) NOT NULL, 
	phase VARCHAR(16) NOT NULL, 
	applied_at TEXT NOT NULL, 
	CONSTRAINT pk_schema_history PRIMARY KEY (revision), 
	CONSTRAINT ck_schema_history_phase CHECK (phase IN ('expand', 'contract'))
);
INSERT INTO "schema_history" VALUES('0021','expand','0001-01-01T00:00:00.000000Z');
INSERT INTO "schema_history" VALUES('0022','expand','0001-01-01T00:00:00.000000Z');
INSERT INTO "schema_history" VALUES('0023','expand','0001-01-01T00:00:00.000000Z');
CREATE TABLE second_factors (
	user_id INTEGER NOT NULL, 
	sealed BLOB NOT NULL, 
	created_at TEXT NOT NULL, 
	confirmed_at TEXT, 
	last_step BIGINT NOT NULL, 
	CONSTRAINT pk_second_factors PRIMARY KEY (user_id), 
	CONSTRAINT fk_second_factors_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE service_staff (
	service_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	CONSTRAINT pk_service_staff PRIMARY KEY (service_id, user_id), 
	CONSTRAINT fk_service_staff_service_id_services FOREIGN KEY(service_id) REFERENCES services (id)
);
CREATE TABLE services (
	id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	duration_min INTEGER NOT NULL, 
	capacity INTEGER NOT NULL, 
	price_minor INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	buffer_before_min INTEGER NOT NULL, 
	buffer_after_min INTEGER NOT NULL, 
	step_min INTEGER NOT NULL, 
	auto_confirm BOOLEAN NOT NULL, 
	min_notice_min INTEGER NOT NULL, 
	horizon_days INTEGER NOT NULL, 
	policy TEXT NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	version INTEGER NOT NULL, search VARCHAR(400) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_services PRIMARY KEY (id), 
	CONSTRAINT ck_services_duration_min CHECK (duration_min > 0), 
	CONSTRAINT ck_services_capacity CHECK (capacity > 0), 
	CONSTRAINT ck_services_price_minor CHECK (price_minor >= 0)
);
CREATE TABLE sessions (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	user_agent VARCHAR(400) NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	ended_at TEXT, methods TEXT DEFAULT '["pwd"]' NOT NULL, scopes TEXT, 
	CONSTRAINT pk_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE signing_keys (
	id VARCHAR(64) NOT NULL, 
	algorithm VARCHAR(8) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	public_jwk TEXT NOT NULL, 
	private_sealed BLOB NOT NULL, 
	created_at TEXT NOT NULL, 
	retires_at TEXT, 
	version INTEGER NOT NULL, purpose VARCHAR(16) DEFAULT 'access' NOT NULL, activates_at TEXT, 
	CONSTRAINT pk_signing_keys PRIMARY KEY (id), 
	CONSTRAINT ck_signing_keys_state CHECK (state IN ('pending', 'active', 'retired'))
);
CREATE TABLE stream_tickets (
	digest BLOB NOT NULL, 
	user_id INTEGER NOT NULL, 
	issued_at TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	CONSTRAINT pk_stream_tickets PRIMARY KEY (digest)
);
CREATE TABLE subscriptions (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	"plan" VARCHAR(32) NOT NULL, 
	plan_version INTEGER NOT NULL, 
	rank INTEGER NOT NULL, 
	price_minor INTEGER NOT NULL, 
	paid_minor INTEGER NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	anchor_at TEXT NOT NULL, 
	period_number INTEGER NOT NULL, 
	period_start TEXT NOT NULL, 
	period_end TEXT NOT NULL, 
	next_plan VARCHAR(32), 
	grace_until TEXT, 
	created_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	ended_at TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (id), 
	CONSTRAINT ck_subscriptions_status CHECK (status IN ('active', 'past_due', 'cancelled', 'expired')), 
	CONSTRAINT ck_subscriptions_paid_minor CHECK (price_minor >= 0 AND paid_minor >= 0), 
	CONSTRAINT ck_subscriptions_period CHECK (period_start < period_end), 
	CONSTRAINT ck_subscriptions_grace_until CHECK ((status = 'past_due') = (grace_until IS NOT NULL)), 
	CONSTRAINT ck_subscriptions_ended_at CHECK ((status IN ('cancelled', 'expired')) = (ended_at IS NOT NULL)), 
	CONSTRAINT fk_subscriptions_plan FOREIGN KEY("plan", plan_version) REFERENCES plan_versions (code, version)
);
CREATE TABLE suppressions (
	id INTEGER NOT NULL, 
	phone INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	reason VARCHAR(200) NOT NULL, 
	created_by VARCHAR(64) NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_suppressions PRIMARY KEY (id), 
	CONSTRAINT uq_suppressions_phone_project_id UNIQUE (phone, project_id)
);
CREATE TABLE swept_files (
	blob_id VARCHAR(36) NOT NULL, 
	swept_at TEXT NOT NULL, 
	CONSTRAINT pk_swept_files PRIMARY KEY (blob_id)
);
CREATE TABLE transfer_ranges (
	transfer_number INTEGER NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	first_id INTEGER NOT NULL, 
	last_id INTEGER NOT NULL, 
	created INTEGER NOT NULL, 
	CONSTRAINT pk_transfer_ranges PRIMARY KEY (transfer_number, first), 
	CONSTRAINT fk_transfer_ranges_transfer_number_transfers FOREIGN KEY(transfer_number) REFERENCES transfers (number) ON DELETE CASCADE
);
CREATE TABLE transfer_refusals (
	transfer_number INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	field VARCHAR(16) NOT NULL, 
	reason VARCHAR(32) NOT NULL, 
	value VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_transfer_refusals PRIMARY KEY (transfer_number, line), 
	CONSTRAINT fk_transfer_refusals_transfer_number_transfers FOREIGN KEY(transfer_number) REFERENCES transfers (number) ON DELETE CASCADE
);
CREATE TABLE transfers (
	id VARCHAR(36) NOT NULL, 
	number INTEGER NOT NULL, 
	job_id VARCHAR(36) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	channel VARCHAR(8) NOT NULL, 
	project_id INTEGER NOT NULL, 
	owner VARCHAR(64) NOT NULL, 
	file_name VARCHAR(255) NOT NULL, 
	format VARCHAR(8), 
	provider_id INTEGER, 
	mapping TEXT NOT NULL, 
	filter TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	attempt INTEGER NOT NULL, 
	requested_at TEXT NOT NULL, 
	started_at TEXT, 
	completed_at TEXT, 
	expires_at TEXT, 
	records BIGINT NOT NULL, 
	created BIGINT NOT NULL, 
	duplicates_in_file BIGINT NOT NULL, 
	duplicates BIGINT NOT NULL, 
	suppressed BIGINT NOT NULL, 
	invalid BIGINT NOT NULL, 
	error TEXT, 
	error_code VARCHAR(64), 
	size INTEGER, 
	sha256 VARCHAR(64), 
	is_file_removed BOOLEAN NOT NULL, 
	undone_at TEXT, 
	removed BIGINT NOT NULL, 
	CONSTRAINT pk_transfers PRIMARY KEY (id), 
	CONSTRAINT ck_transfers_kind CHECK (kind IN ('import', 'export')), 
	CONSTRAINT ck_transfers_channel CHECK (channel IN ('upload', 'sftp', 'download')), 
	CONSTRAINT ck_transfers_status CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')), 
	CONSTRAINT uq_transfers_number UNIQUE (number), 
	CONSTRAINT uq_transfers_job_id UNIQUE (job_id)
);
CREATE TABLE user_roles (
	user_id INTEGER NOT NULL, 
	role VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_user_roles PRIMARY KEY (user_id, role), 
	CONSTRAINT ck_user_roles_role CHECK (role IN ('client', 'staff', 'operator', 'manager', 'admin')), 
	CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE user_types (
	id INTEGER NOT NULL, 
	code VARCHAR(64) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_user_types PRIMARY KEY (id), 
	CONSTRAINT uq_user_types_code UNIQUE (code)
);
INSERT INTO "user_types" VALUES(1,'client','Клиент');
INSERT INTO "user_types" VALUES(2,'operator','Оператор ДБО');
INSERT INTO "user_types" VALUES(3,'staff','Сотрудник банка');
INSERT INTO "user_types" VALUES(4,'manager','Менеджер');
INSERT INTO "user_types" VALUES(5,'admin','Администратор');
CREATE TABLE users (
	id INTEGER NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	password_hash TEXT, 
	is_active BOOLEAN NOT NULL, 
	email_verified BOOLEAN NOT NULL, 
	full_name VARCHAR(200) NOT NULL, 
	locale VARCHAR(35) NOT NULL, 
	created_at TEXT NOT NULL, 
	epoch_at TEXT, 
	version INTEGER NOT NULL, 
	search TEXT NOT NULL, erased_at TEXT, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_email UNIQUE (email)
);
CREATE TABLE waitlist (
	id INTEGER NOT NULL, 
	client_id INTEGER NOT NULL, 
	service_id INTEGER NOT NULL, 
	staff_id INTEGER, 
	starts_from TEXT NOT NULL, 
	starts_before TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	hold_id INTEGER, 
	created_at TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_waitlist PRIMARY KEY (id), 
	CONSTRAINT ck_waitlist_status CHECK (status IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')), 
	CONSTRAINT ck_waitlist_span CHECK (starts_from < starts_before), 
	CONSTRAINT uq_waitlist_hold_id UNIQUE (hold_id)
);
CREATE TABLE webhook_endpoints (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	url TEXT NOT NULL, 
	kinds TEXT NOT NULL, 
	secret_sealed BLOB NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_webhook_endpoints PRIMARY KEY (id)
);
CREATE TABLE zone_sets (
	id SMALLINT NOT NULL, 
	zones TEXT NOT NULL, 
	CONSTRAINT pk_zone_sets PRIMARY KEY (id), 
	CONSTRAINT uq_zone_sets_zones UNIQUE (zones)
);
INSERT INTO "zone_sets" VALUES(0,'[]');
CREATE INDEX ix_jobs_due ON jobs (priority, run_at, id) WHERE state = 'queued';
CREATE INDEX ix_jobs_run_at ON jobs (run_at) WHERE state = 'queued';
CREATE INDEX ix_jobs_dead ON jobs (id) WHERE state = 'dead';
CREATE INDEX ix_jobs_finished_at ON jobs (finished_at) WHERE state IN ('succeeded', 'cancelled');
CREATE INDEX ix_jobs_leased ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX ix_outbox_waiting ON outbox (id) WHERE dispatched_at IS NULL;
CREATE INDEX ix_outbox_dispatched_at ON outbox (dispatched_at);
CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);
CREATE INDEX ix_audit_log_entity_type_entity_id_id ON audit_log (entity_type, entity_id, id);
CREATE INDEX ix_audit_log_user_id_id ON audit_log (user_id, id);
CREATE INDEX ix_audit_log_action_id ON audit_log (action, id);
CREATE INDEX ix_audit_log_created_at ON audit_log (created_at);
CREATE INDEX ix_audit_log_unsealed ON audit_log (id) WHERE seal_number IS NULL;
CREATE INDEX ix_user_roles_role ON user_roles (role);
CREATE INDEX ix_api_keys_owner_id ON api_keys (owner_id);
CREATE INDEX ix_api_keys_lookup_prefix ON api_keys (lookup_prefix) WHERE lookup_prefix IS NOT NULL;
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
CREATE INDEX ix_revoked_tokens_expires_at ON revoked_tokens (expires_at);
CREATE INDEX ix_profiles_source_key_id_expires_at ON profiles (source_key, id, expires_at) WHERE deleted_at IS NULL;
CREATE INDEX ix_profiles_created_at ON profiles (created_at);
CREATE INDEX ix_profiles_expires_at ON profiles (expires_at) WHERE deleted_at IS NULL;
CREATE INDEX ix_exports_owner_id ON exports (owner, id);
CREATE INDEX ix_exports_unfinished ON exports (id) WHERE status IN ('queued', 'running');
CREATE INDEX ix_exports_kept ON exports (expires_at) WHERE status = 'completed' AND NOT is_file_removed;
CREATE INDEX ix_one_time_tokens_user_id ON one_time_tokens (user_id);
CREATE INDEX ix_one_time_tokens_expires_at ON one_time_tokens (expires_at);
CREATE UNIQUE INDEX ix_signing_keys_active ON signing_keys (purpose) WHERE state = 'active';
CREATE INDEX ix_notices_about ON notices (about) WHERE state IN ('waiting', 'fired') AND about <> '';
CREATE INDEX ix_notices_user_id ON notices (user_id);
CREATE INDEX ix_notices_created_at ON notices (created_at);
CREATE INDEX ix_deliveries_state_id ON deliveries (state, id);
CREATE INDEX ix_inbox_unread ON inbox (user_id) WHERE read_at IS NULL;
CREATE INDEX ix_inbox_created_at ON inbox (created_at);
CREATE INDEX ix_digest_items_user_id_due_at ON digest_items (user_id, due_at);
CREATE INDEX ix_push_subscriptions_user_id ON push_subscriptions (user_id);
CREATE INDEX ix_webhook_endpoints_user_id ON webhook_endpoints (user_id);
CREATE INDEX ix_stream_tickets_expires_at ON stream_tickets (expires_at);
CREATE UNIQUE INDEX uq_documents_user_id_sha256_category_id ON documents (user_id, sha256, category_id) WHERE deleted_at IS NULL;
CREATE INDEX ix_documents_uploaded_at ON documents (uploaded_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_documents_status ON documents (status, uploaded_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_documents_category_id ON documents (category_id, uploaded_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_documents_status_category_id ON documents (status, category_id, uploaded_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_documents_user_id ON documents (user_id, uploaded_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_documents_worker_id ON documents (worker_id, uploaded_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_documents_open ON documents (uploaded_at, id, plan_maturity_date) WHERE deleted_at IS NULL AND status IN ('pending', 'in_review', 'approved');
CREATE INDEX ix_documents_untold ON documents (plan_maturity_date, id) WHERE deleted_at IS NULL AND status IN ('pending', 'in_review', 'approved') AND overdue_at IS NULL;
CREATE INDEX ix_documents_with_file ON documents (retained_until, deleted_at, id) WHERE NOT is_file_removed AND NOT is_held;
CREATE INDEX ix_documents_unscanned ON documents (id) WHERE deleted_at IS NULL AND status = 'pending' AND scan = 'waiting';
CREATE INDEX ix_abs_packets_status ON abs_packets (status, id);
CREATE UNIQUE INDEX uq_abs_tickets_open ON abs_tickets (kind, subject) WHERE closed_at IS NULL;
CREATE INDEX ix_contracts_user_id ON contracts (user_id, id);
CREATE INDEX ix_contract_documents_document_id ON contract_documents (document_id);
CREATE INDEX ix_projects_created_by ON projects (created_by);
CREATE INDEX ix_projects_deleted_at ON projects (deleted_at);
CREATE INDEX ix_geo_country_code ON geo (country_code);
CREATE INDEX ix_project_providers_provider_id ON project_providers (provider_id);
CREATE INDEX ix_project_geo_geo_id ON project_geo (geo_id);
CREATE INDEX ix_project_managers_user_id ON project_managers (user_id);
CREATE INDEX ix_phone_numbers_due ON phone_numbers (project_id, zone_set, next_call_at, id) WHERE status IN (0, 3, 4);
CREATE INDEX ix_phone_numbers_geo_id_id ON phone_numbers (geo_id, id) WHERE geo_id IS NOT NULL;
CREATE INDEX ix_phone_numbers_lease_until ON phone_numbers (lease_until) WHERE status = 1;
CREATE INDEX ix_phone_numbers_provider_id_id ON phone_numbers (provider_id, id) WHERE provider_id IS NOT NULL;
CREATE INDEX ix_suppressions_project_id_id ON suppressions (project_id, id);
CREATE INDEX ix_calls_number_id_began_at ON calls (number_id, began_at) WHERE number_id IS NOT NULL;
CREATE INDEX ix_calls_open ON calls (updated_at) WHERE result IS NULL AND swept_at IS NULL;
CREATE INDEX ix_call_events_call_id ON call_events (call_id);
CREATE INDEX ix_call_events_received_at ON call_events (received_at);
CREATE TRIGGER fk_phone_numbers_project_id_added BEFORE INSERT ON phone_numbers WHEN NEW.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM projects WHERE id = NEW.project_id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_project_id'); END;
CREATE TRIGGER fk_phone_numbers_project_id_changed BEFORE UPDATE OF project_id ON phone_numbers WHEN NEW.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM projects WHERE id = NEW.project_id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_project_id'); END;
CREATE TRIGGER fk_phone_numbers_project_id_removed BEFORE DELETE ON projects WHEN EXISTS (SELECT 1 FROM phone_numbers WHERE project_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_project_id'); END;
CREATE TRIGGER fk_phone_numbers_provider_id_added BEFORE INSERT ON phone_numbers WHEN NEW.provider_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM providers WHERE id = NEW.provider_id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_provider_id'); END;
CREATE TRIGGER fk_phone_numbers_provider_id_changed BEFORE UPDATE OF provider_id ON phone_numbers WHEN NEW.provider_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM providers WHERE id = NEW.provider_id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_provider_id'); END;
CREATE TRIGGER fk_phone_numbers_provider_id_removed BEFORE DELETE ON providers WHEN EXISTS (SELECT 1 FROM phone_numbers WHERE provider_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_provider_id'); END;
CREATE TRIGGER fk_phone_numbers_geo_id_added BEFORE INSERT ON phone_numbers WHEN NEW.geo_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM geo WHERE id = NEW.geo_id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_geo_id'); END;
CREATE TRIGGER fk_phone_numbers_geo_id_changed BEFORE UPDATE OF geo_id ON phone_numbers WHEN NEW.geo_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM geo WHERE id = NEW.geo_id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_geo_id'); END;
CREATE TRIGGER fk_phone_numbers_geo_id_removed BEFORE DELETE ON geo WHEN EXISTS (SELECT 1 FROM phone_numbers WHERE geo_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'fk_phone_numbers_geo_id'); END;
CREATE INDEX ix_transfers_project_id_id ON transfers (project_id, id);
CREATE INDEX ix_transfers_unfinished ON transfers (id) WHERE status IN ('pending', 'running');
CREATE INDEX ix_transfers_kept ON transfers (expires_at) WHERE expires_at IS NOT NULL AND NOT is_file_removed;
CREATE INDEX ix_service_staff_user_id ON service_staff (user_id);
CREATE INDEX ix_engagements_staff_id_busy_from_min ON engagements (staff_id, busy_from_min);
CREATE INDEX ix_appointments_client_id_starts_at ON appointments (client_id, starts_at);
CREATE INDEX ix_appointments_staff_id_starts_at ON appointments (staff_id, starts_at);
CREATE INDEX ix_appointments_starts_at ON appointments (starts_at);
CREATE INDEX ix_appointments_held ON appointments (staff_id, expires_at) WHERE status = 'held';
CREATE INDEX ix_appointments_series_id ON appointments (series_id) WHERE series_id IS NOT NULL;
CREATE INDEX ix_waitlist_waiting ON waitlist (id) WHERE status = 'waiting';
CREATE INDEX ix_waitlist_client_id ON waitlist (client_id, id);
CREATE UNIQUE INDEX uq_waitlist_open ON waitlist (client_id, service_id, starts_from, starts_before) WHERE status = 'waiting';
CREATE INDEX ix_calendar_feeds_user_id ON calendar_feeds (user_id);
CREATE TRIGGER engagements_one_at_a_time BEFORE INSERT ON engagements
WHEN EXISTS (
SELECT 1 FROM engagements e WHERE e.staff_id = NEW.staff_id AND e.id <> NEW.id
 AND e.busy_from_min < NEW.busy_until_min AND e.busy_until_min > NEW.busy_from_min
 AND e.busy_from_min > NEW.busy_from_min - 4320
) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER engagements_moved_one_at_a_time BEFORE UPDATE ON engagements
WHEN EXISTS (
SELECT 1 FROM engagements e WHERE e.staff_id = NEW.staff_id AND e.id <> NEW.id
 AND e.busy_from_min < NEW.busy_until_min AND e.busy_until_min > NEW.busy_from_min
 AND e.busy_from_min > NEW.busy_from_min - 4320
) BEGIN SELECT RAISE(ABORT, 'ex_engagements_one_at_a_time'); END;
CREATE INDEX ix_ledger_accounts_user_id ON ledger_accounts (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX ix_ledger_entries_transfer_id ON ledger_entries (transfer_id);
CREATE INDEX ix_ledger_entries_account_id_id ON ledger_entries (account_id, id);
CREATE INDEX ix_ledger_holds_pending ON ledger_holds (account_id) WHERE state = 'pending';
CREATE INDEX ix_ledger_holds_expiring ON ledger_holds (expires_at) WHERE state = 'pending';
CREATE INDEX ix_payments_user_id_id ON payments (user_id, id);
CREATE INDEX ix_payments_due ON payments (provider, next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX ix_payment_notices_received_at ON payment_notices (received_at);
CREATE INDEX ix_payment_notices_payment_id ON payment_notices (payment_id);
CREATE TRIGGER ledger_account_opened AFTER INSERT ON ledger_accounts WHEN NEW.has_balance BEGIN 
INSERT INTO ledger_balances (account_id, posted_minor, held_minor, floor_minor, last_entry_id)
VALUES (NEW.id, 0, 0, 0, 0)
; END;
CREATE TRIGGER ledger_transfer_sealed BEFORE INSERT ON ledger_entries WHEN EXISTS (SELECT 1 FROM ledger_seals WHERE transfer_id = NEW.transfer_id) BEGIN SELECT RAISE(ABORT, 'ledger_transfer_sealed'); END;
CREATE TRIGGER ledger_entry_added AFTER INSERT ON ledger_entries BEGIN 
UPDATE ledger_balances SET posted_minor = posted_minor + NEW.amount_minor, last_entry_id = NEW.id
WHERE account_id = NEW.account_id
; END;
CREATE TRIGGER ledger_transfer_balances BEFORE INSERT ON ledger_seals WHEN (SELECT count(*) FROM ledger_entries WHERE transfer_id = NEW.transfer_id) < 2 OR EXISTS (
SELECT 1 FROM ledger_entries WHERE transfer_id = NEW.transfer_id GROUP BY currency HAVING SUM(amount_minor) <> 0
) BEGIN SELECT RAISE(ABORT, 'ledger_transfer_balances'); END;
CREATE TRIGGER ledger_balance_begins BEFORE INSERT ON ledger_balances WHEN NEW.posted_minor <> 0 OR NEW.held_minor <> 0 OR NEW.floor_minor <> 0 OR NEW.last_entry_id <> 0 BEGIN SELECT RAISE(ABORT, 'ledger_balance_begins'); END;
CREATE TRIGGER ledger_balance_follows BEFORE UPDATE ON ledger_balances WHEN (
NEW.account_id = OLD.account_id AND NEW.floor_minor = OLD.floor_minor
AND NEW.held_minor = (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_holds
 WHERE account_id = NEW.account_id AND state = 'pending')
AND ((NEW.posted_minor = OLD.posted_minor AND NEW.last_entry_id = OLD.last_entry_id)
 OR (NEW.last_entry_id > OLD.last_entry_id AND NEW.posted_minor - OLD.posted_minor = (
  SELECT amount_minor FROM ledger_entries WHERE id = NEW.last_entry_id AND account_id = NEW.account_id)))
) IS NOT TRUE BEGIN SELECT RAISE(ABORT, 'ledger_balance_follows'); END;
CREATE TRIGGER ledger_hold_begins_pending BEFORE INSERT ON ledger_holds WHEN NEW.state <> 'pending' BEGIN SELECT RAISE(ABORT, 'ledger_hold_begins_pending'); END;
CREATE TRIGGER ledger_hold_added AFTER INSERT ON ledger_holds BEGIN UPDATE ledger_balances SET held_minor = held_minor + NEW.amount_minor WHERE account_id = NEW.account_id; END;
CREATE TRIGGER ledger_hold_resolved_once BEFORE UPDATE ON ledger_holds WHEN 
(NEW.id <> OLD.id OR NEW.key <> OLD.key OR NEW.account_id <> OLD.account_id OR NEW.amount_minor <> OLD.amount_minor
 OR NEW.cause <> OLD.cause OR NEW.created_at <> OLD.created_at OR OLD.state <> 'pending' OR NEW.state = 'pending')
 BEGIN SELECT RAISE(ABORT, 'ledger_hold_resolved_once'); END;
CREATE TRIGGER ledger_hold_resolved AFTER UPDATE ON ledger_holds BEGIN UPDATE ledger_balances SET held_minor = held_minor - OLD.amount_minor WHERE account_id = OLD.account_id; END;
CREATE TRIGGER ledger_accounts_never_updated BEFORE UPDATE ON ledger_accounts BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_accounts_never_deleted BEFORE DELETE ON ledger_accounts BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_transfers_never_updated BEFORE UPDATE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_transfers_never_deleted BEFORE DELETE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_entries_never_updated BEFORE UPDATE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_entries_never_deleted BEFORE DELETE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_seals_never_updated BEFORE UPDATE ON ledger_seals BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_seals_never_deleted BEFORE DELETE ON ledger_seals BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_balances_never_deleted BEFORE DELETE ON ledger_balances BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER ledger_holds_never_deleted BEFORE DELETE ON ledger_holds BEGIN SELECT RAISE(ABORT, 'ledger_is_never_changed'); END;
CREATE TRIGGER payments_keep_their_terms BEFORE UPDATE ON payments WHEN 
(NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.provider <> OLD.provider OR NEW.key <> OLD.key
 OR NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency
 OR (OLD.provider_ref IS NOT NULL AND NEW.provider_ref <> OLD.provider_ref)
 OR (OLD.status = 'succeeded' AND NEW.status <> 'succeeded'))
 BEGIN SELECT RAISE(ABORT, 'payments_keep_their_terms'); END;
CREATE TRIGGER refunds_keep_their_terms BEFORE UPDATE ON refunds WHEN 
(NEW.id <> OLD.id OR NEW.payment_id <> OLD.payment_id OR NEW.amount_minor <> OLD.amount_minor
 OR NEW.currency <> OLD.currency OR NEW.key <> OLD.key OR (OLD.status = 'failed' AND NEW.status <> 'failed'))
 BEGIN SELECT RAISE(ABORT, 'refunds_keep_their_terms'); END;
CREATE TRIGGER refunds_carried_insert AFTER INSERT ON refunds BEGIN 
UPDATE payments SET refunding_minor = refunding_minor + CASE WHEN NEW.status IN ('created', 'unknown', 'pending') THEN NEW.amount_minor ELSE 0 END,
 refunded_minor = refunded_minor + CASE WHEN NEW.status = 'succeeded' THEN NEW.amount_minor ELSE 0 END
WHERE id = NEW.payment_id
; END;
CREATE TRIGGER refunds_carried_update AFTER UPDATE ON refunds BEGIN 
UPDATE payments SET
 refunding_minor = refunding_minor + CASE WHEN NEW.status IN ('created', 'unknown', 'pending') THEN NEW.amount_minor ELSE 0 END
  - CASE WHEN OLD.status IN ('created', 'unknown', 'pending') THEN OLD.amount_minor ELSE 0 END,
 refunded_minor = refunded_minor + CASE WHEN NEW.status = 'succeeded' THEN NEW.amount_minor ELSE 0 END
  - CASE WHEN OLD.status = 'succeeded' THEN OLD.amount_minor ELSE 0 END
WHERE id = NEW.payment_id
; END;
CREATE UNIQUE INDEX uq_subscriptions_live ON subscriptions (user_id) WHERE status IN ('active', 'past_due');
CREATE INDEX ix_subscriptions_user_id ON subscriptions (user_id, id);
CREATE INDEX ix_quota_usage_ends_at ON quota_usage (ends_at);
CREATE TRIGGER plan_versions_stay_on_update BEFORE UPDATE ON plan_versions BEGIN SELECT RAISE(ABORT, 'plan_versions_stay'); END;
CREATE TRIGGER plan_versions_stay_on_delete BEFORE DELETE ON plan_versions BEGIN SELECT RAISE(ABORT, 'plan_versions_stay'); END;
CREATE INDEX ix_generations_owner_id ON generations (owner, id);
CREATE INDEX ix_generations_job_id ON generations (job_id);
CREATE INDEX ix_generations_going ON generations (id) WHERE status IN ('queued', 'running');
CREATE INDEX ix_generations_leader_id ON generations (leader_id) WHERE status IN ('queued', 'running') AND leader_id IS NOT NULL;
CREATE UNIQUE INDEX uq_generations_leading ON generations (owner, cache_key) WHERE status IN ('queued', 'running') AND leader_id IS NULL AND cache_key IS NOT NULL;
CREATE INDEX ix_generations_answered ON generations (owner, cache_key, ended_at) WHERE status = 'completed' AND NOT is_cached AND cache_key IS NOT NULL;
CREATE TRIGGER prompt_versions_unchanged_update BEFORE UPDATE ON prompt_versions BEGIN SELECT RAISE(ABORT, 'a published version of a prompt never changes'); END;
CREATE TRIGGER prompt_versions_unchanged_delete BEFORE DELETE ON prompt_versions BEGIN SELECT RAISE(ABORT, 'a published version of a prompt never changes'); END;
CREATE INDEX ix_bus_queue_waiting ON bus_queue (position) WHERE NOT sent;
CREATE INDEX ix_swept_files_swept_at ON swept_files (swept_at);
CREATE TRIGGER file_is_kept BEFORE INSERT ON documents
WHEN EXISTS (SELECT 1 FROM swept_files WHERE blob_id = NEW.blob_id)
BEGIN SELECT RAISE(ABORT, 'ck_documents_file_is_kept'); END;
CREATE INDEX ix_phone_numbers_project_id_status_created_at_id ON phone_numbers (project_id, status, created_at, id);
DELETE FROM "sqlite_sequence";
