"""What a caller can do about a problem, in English and Russian: by its code where that is known, else by its status."""

BY_STATUS: dict[int, tuple[str, str]] = {
    400: (
        "Mend the request: as it stands it cannot be read.",
        "Запрос нельзя прочитать в таком виде: исправьте его.",
    ),
    401: (
        "Send a valid access token or API key. Renew a token that has run out, or sign in again.",
        "Передайте действующий токен или ключ API. Истёкший токен обновите или войдите заново.",
    ),
    402: ("Top the balance up and repeat the call.", "Пополните баланс и повторите вызов."),
    403: (
        "Ask an administrator for the rights that the problem names.",
        "Запросите у администратора права, названные в ответе.",
    ),
    404: (
        "Check the address and the id. What you may not see is answered like what is not there.",
        "Проверьте адрес и идентификатор. Недоступное вам неотличимо от несуществующего.",
    ),
    405: ("Use one of the methods in `Allow`.", "Используйте один из методов, перечисленных в `Allow`."),
    406: ("Accept `application/json`.", "Примите ответ в виде `application/json`."),
    408: ("Send the body without long pauses, or in smaller parts.", "Передавайте тело без долгих пауз или по частям."),
    409: (
        "Read the record again: its present state forbids the call. The problem names what is allowed.",
        "Прочитайте запись заново: её состояние не допускает вызова. В ответе названо, что допустимо.",
    ),
    410: ("Use what replaced it; the problem names it.", "Используйте замену, названную в ответе."),
    412: (
        "Read the record again, apply your change to it, and send its new ETag.",
        "Прочитайте запись заново, внесите изменение и передайте новый ETag.",
    ),
    413: ("Send less: the problem names the bound.", "Уменьшите тело запроса: предел назван в ответе."),
    414: ("Shorten the address; put long content into the body.", "Сократите адрес; длинные данные передайте в теле."),
    415: (
        "Send the body in the type that the problem names.",
        "Передайте тело в том типе, который назван в ответе.",
    ),
    416: ("Ask for a range within the file.", "Запросите диапазон внутри файла."),
    422: (
        "Mend every field listed under `errors`, and send the request again.",
        "Исправьте каждое поле из списка `errors` и повторите запрос.",
    ),
    429: (
        "Wait as long as `Retry-After` says; `limit`, `remaining` and `reset_at` tell how the limit stands.",
        "Подождите столько, сколько указано в `Retry-After`; состояние лимита — в `limit`, `remaining`, `reset_at`.",
    ),
    431: ("Send fewer or shorter headers.", "Передайте меньше заголовков или сократите их."),
    500: (
        "Tell the operator the `trace_id`: the fault is in the log under it.",
        "Сообщите оператору `trace_id`: ошибка записана в журнал под ним.",
    ),
    503: (
        "Repeat the call after `Retry-After`, with the same Idempotency-Key where it makes something.",
        "Повторите вызов через `Retry-After`, с тем же Idempotency-Key, если он что-то создаёт.",
    ),
}
"""What to do about each status."""

BY_CODE: dict[str, tuple[str, str]] = {
    "another_payment_provider": (
        "For the operator: set `OPORA_PAYMENTS` to the provider that took the payment, or refund it at its own desk.",
        "Оператору: укажите в `OPORA_PAYMENTS` провайдера, принявшего платёж, или верните деньги в его кабинете.",
    ),
    "balance_too_low": (
        "Top the balance up with `POST /api/v1/payments`: `needed_minor` is asked for, `available_minor` is there.",
        "Пополните баланс через `POST /api/v1/payments`: нужно `needed_minor`, доступно `available_minor`.",
    ),
    "no_balance_of_ones_own": (
        "Sign in as a person, or use a key that belongs to one.",
        "Войдите как пользователь или возьмите ключ, который ему принадлежит.",
    ),
    "payment_contradicted": (
        "For the operator: compare the payment with the provider's own record; nothing was entered.",
        "Оператору: сверьте платёж с записью у провайдера; ничего не проведено.",
    ),
    "payment_not_taken": (
        "Wait until the payment is `succeeded`; a `cancelled` one took nothing.",
        "Дождитесь статуса `succeeded`; по платежу `cancelled` ничего не списано.",
    ),
    "payment_webhook_unsigned": (
        "Sign the exact bytes of the body under `OPORA_PAYMENTS_SECRET` (Stripe: its webhook secret), with a right "
        "clock. Notices of YooKassa are taken from its own networks: check `OPORA_TRUSTED_PROXIES`.",
        "Подпишите точные байты тела ключом `OPORA_PAYMENTS_SECRET` (Stripe: секретом вебхука), сверив часы. "
        "Уведомления ЮKassa принимаются только из её сетей: проверьте `OPORA_TRUSTED_PROXIES`.",
    ),
    "refund_exceeds_payment": (
        "Refund at most `refundable_minor`.",
        "Верните не больше `refundable_minor`.",
    ),
    "address_not_allowed": (
        "The key works only from the networks in its `allowed_ips`. Call from one of them, or have the list changed "
        "with `PATCH /api/v1/admin/api-keys/{key_id}`. Behind a proxy, check that `OPORA_TRUSTED_PROXIES` names it.",
        "Ключ действует только из сетей, перечисленных в `allowed_ips`. Вызовите из такой сети или измените список "
        "через `PATCH /api/v1/admin/api-keys/{key_id}`. За прокси проверьте `OPORA_TRUSTED_PROXIES`.",
    ),
    "ambiguous_credentials": (
        "Send `Authorization` and `X-API-Key` once each at most.",
        "Передавайте `Authorization` и `X-API-Key` не более одного раза.",
    ),
    "bad_cursor": (
        "Take `next` of the page before as it is, with the same filters. A cursor belongs to one list and cannot be "
        "made up; begin anew with an empty `cursor=`.",
        "Используйте `next` предыдущей страницы без изменений и с теми же фильтрами. Курсор относится к одному списку; "
        "начните заново с пустым `cursor=`.",
    ),
    "bad_idempotency_key": (
        "Send 1 to 255 visible ASCII characters without spaces; a UUID fits.",
        "Передайте от 1 до 255 видимых символов ASCII без пробелов, например UUID.",
    ),
    "beyond_own_rights": (
        "Leave out the scopes or roles that you do not hold, or ask somebody who holds them.",
        "Уберите права и роли, которых у вас нет, или обратитесь к тому, у кого они есть.",
    ),
    "blob_too_large": (
        "Ask for fewer profiles in one file.",
        "Запросите меньше профилей в одном файле.",
    ),
    "credential_revoked": (
        "The key was revoked or the session ended, on every process at once. Take a new key, or sign in again.",
        "Ключ отозван или сессия завершена, сразу на всех процессах. Получите новый ключ или войдите заново.",
    ),
    "credentials_ambiguous": (
        "Send the key or the token, not both; the same key in both headers is taken.",
        "Передайте либо ключ, либо токен; один и тот же ключ в обоих заголовках допустим.",
    ),
    "credentials_in_query": (
        "Send it as a header: `X-API-Key: …` or `Authorization: Bearer …`. Replace the key that was sent: it stands in "
        "logs now.",
        "Передайте его заголовком: `X-API-Key: …` или `Authorization: Bearer …`. Замените переданный ключ: он уже "
        "попал в журналы.",
    ),
    "credentials_wrong": (
        "Check the address and the password. An unknown address gets the same answer. After five failures in a minute "
        "an account is not heard for the rest of it. An administrator is let in again with `opora admin reset`.",
        "Проверьте адрес и пароль: на неизвестный адрес ответ тот же. После пяти ошибок за минуту учётная запись не "
        "принимается до её конца. Администратору вернёт доступ `opora admin reset`.",
    ),
    "database_unavailable": (
        "Repeat the call after `Retry-After`; nothing was stored. For the operator: `opora doctor` tells what is down.",
        "Повторите вызов через `Retry-After`: ничего не сохранено. Оператору: `opora doctor` покажет, что недоступно.",
    ),
    "email_taken": (
        "Use another address, or change the user who has it. Case and Unicode form make no difference.",
        "Укажите другой адрес или измените существующего пользователя. Регистр и форма Unicode не различаются.",
    ),
    "export_expired": (
        "Ask for the file again with `POST /api/v1/exports`; files are kept for `OPORA_EXPORT_RETENTION_DAYS`.",
        "Запросите файл заново: `POST /api/v1/exports`; файлы хранятся `OPORA_EXPORT_RETENTION_DAYS` дней.",
    ),
    "code_wrong": (
        "Send the code of this moment; a code is taken once, and the device's clock may be half a minute away. A "
        "recovery code does too. Five tries a minute are heard.",
        "Передайте код этой минуты: код принимается один раз, часы устройства могут расходиться на полминуты. Подойдёт "
        "и код восстановления. В минуту принимается пять попыток.",
    ),
    "confirmation_wrong": (
        "Check the clock of the device and send the code that it shows now.",
        "Проверьте часы устройства и передайте код, который оно показывает сейчас.",
    ),
    "cross_site_request": (
        "Call from a page of the service's own origin and send `X-Opora-Cookies: 1`; others send the refresh token in "
        "the body. Behind a proxy, `OPORA_BASE_URL` names the origin.",
        "Вызывайте со страницы того же источника и передавайте `X-Opora-Cookies: 1`; остальные передают токен "
        "обновления в теле. За прокси источник задаёт `OPORA_BASE_URL`.",
    ),
    "current_password_wrong": (
        "Send the present password. Who has forgotten it asks for a letter with `POST /api/v1/auth/password/forgot`.",
        "Передайте действующий пароль. Если он забыт, запросите письмо: `POST /api/v1/auth/password/forgot`.",
    ),
    "export_not_ready": (
        "Ask `GET /api/v1/exports/{export_id}` until `status` is `completed`, then take `download_url`. With `failed`, "
        "`error` says why: ask for a new export.",
        "Опрашивайте `GET /api/v1/exports/{export_id}`, пока `status` не станет `completed`, затем откройте "
        "`download_url`. При `failed` причина в `error`: запросите новую выгрузку.",
    ),
    "bus_unavailable": (
        "Nothing is lost: events wait in the database. For the operator: `opora doctor` says whether the bus answers.",
        "Ничего не потеряно: события ждут в базе данных. Оператору: `opora doctor` покажет, отвечает ли шина.",
    ),
    "no_such_event_type": (
        "`GET /api/v1/events/schemas` lists the types of events there are.",
        "Все типы событий перечисляет `GET /api/v1/events/schemas`.",
    ),
    "hashing_busy": (
        "Repeat the call after `Retry-After`. For the operator: `OPORA_PASSWORD_HASH_THREADS` bounds the hashing.",
        "Повторите вызов через `Retry-After`. Оператору: число потоков задаёт `OPORA_PASSWORD_HASH_THREADS`.",
    ),
    "factor_unreadable": (
        "For the operator: `OPORA_ENCRYPTION_KEY`, or the root secret it follows from, is another than before. Give "
        "the old one back. `opora admin reset` lets an administrator in without a code.",
        "Оператору: `OPORA_ENCRYPTION_KEY` или корневой секрет изменился. Верните прежний. `opora admin reset` впустит "
        "администратора без кода.",
    ),
    "idempotency_answer_lost": (
        "The first call took effect. Read the record it made; use a new key for a new one.",
        "Первый вызов выполнен. Прочитайте созданную запись; для новой используйте новый ключ идемпотентности.",
    ),
    "idempotency_key_reused": (
        "Send the first request unchanged, or take a new Idempotency-Key for this one. Spelling of JSON does not "
        "count, its content does.",
        "Повторите первый запрос без изменений или возьмите новый Idempotency-Key. Сравнивается содержание JSON, а не "
        "запись.",
    ),
    "idempotency_overtaken": (
        "Repeat with the same Idempotency-Key: the answer of the call that took over is given.",
        "Повторите с тем же Idempotency-Key: вернётся ответ вызова, который выполнился.",
    ),
    "idempotency_still_running": (
        "Repeat in a moment with the same Idempotency-Key.",
        "Повторите через мгновение с тем же Idempotency-Key.",
    ),
    "identity_header_refused": (
        "Leave out headers such as `X-User-Id`: Opora knows the caller by key or token alone.",
        "Не передавайте заголовки вроде `X-User-Id`: вызывающий определяется только по ключу или токену.",
    ),
    "insufficient_scope": (
        "`missing` names the scopes. Use a key that has them, or have them added with "
        "`PATCH /api/v1/admin/api-keys/{key_id}`. docs/reference/scopes.md lists all.",
        "Недостающие права названы в `missing`. Возьмите ключ с ними или добавьте их через "
        "`PATCH /api/v1/admin/api-keys/{key_id}`. Все права перечислены в docs/reference/scopes.md.",
    ),
    "invalid_export": (
        "Send `format` (`json` or `pdf`) and either `profile_id` or up to 1,000 different `profile_ids`; `errors` "
        "names each field at fault.",
        "Передайте `format` (`json` или `pdf`) и либо `profile_id`, либо до 1000 разных `profile_ids`; ошибки по полям "
        "— в `errors`.",
    ),
    "invalid_generation": (
        "`errors` names each field at fault: `count` is 1 to 100, `age_min` is not above `age_max`, `locale` is one of "
        "`ru_RU`, `en_US`, `en_GB`, `de_DE`, `kk_KZ`, `region` is one of that country.",
        "Ошибки по полям — в `errors`: `count` от 1 до 100, `age_min` не больше `age_max`, `locale` — `ru_RU`, "
        "`en_US`, `en_GB`, `de_DE` или `kk_KZ`, `region` — регион этой страны.",
    ),
    "key_disabled": (
        "Somebody with `keys:write` can switch it on again: `PATCH /api/v1/admin/api-keys/{key_id}`.",
        "Включить ключ может владелец права `keys:write`: `PATCH /api/v1/admin/api-keys/{key_id}`.",
    ),
    "key_expired": (
        "Have a new key made, or this one's `expires_at` moved: `opora keys create`, or `PATCH "
        "/api/v1/admin/api-keys/{key_id}`.",
        "Получите новый ключ или продлите этот через `expires_at`: `opora keys create` либо `PATCH "
        "/api/v1/admin/api-keys/{key_id}`.",
    ),
    "key_malformed": (
        "Copy the key whole: prefix, `_live_` or `_test_`, then 49 characters, the last six a checksum. One mistyped "
        "character is enough.",
        "Скопируйте ключ целиком: приставка, `_live_` или `_test_`, затем 49 знаков, последние шесть — контрольные. "
        "Достаточно одной опечатки.",
    ),
    "key_not_rotatable": (
        "Rotate the newest key of its line, or make a new one with `opora keys create`.",
        "Обновите последний ключ в цепочке или создайте новый: `opora keys create`.",
    ),
    "rotation_under_way": (
        "Wait until the published key signs (`opora signing-keys list` tells when), or withdraw with `--withdraw`.",
        "Дождитесь, пока опубликованный ключ начнёт подписывать (`opora signing-keys list`), или отзовите старые: "
        "`--withdraw`.",
    ),
    "key_owner_blocked": (
        "The person behind the key is blocked; an administrator can unblock them or make a key of their own.",
        "Владелец ключа заблокирован; администратор может разблокировать его или создать другой ключ.",
    ),
    "key_revoked": (
        "Revoked for good. Have a new key made with `opora keys create` or `POST /api/v1/admin/api-keys`.",
        "Ключ отозван окончательно. Создайте новый: `opora keys create` или `POST /api/v1/admin/api-keys`.",
    ),
    "key_rotated": (
        "Use the key that replaced it; it was shown when the old one was rotated. If it is lost, make a new one.",
        "Используйте ключ, выданный взамен при обновлении. Если он потерян, создайте новый.",
    ),
    "key_unknown": (
        "The key is well-formed, but this installation never issued it: check that it is not the key of another one. "
        "`opora keys list` shows the start of every key.",
        "Ключ записан верно, но эта установка его не выдавала: проверьте, не от другой ли он. Начала всех ключей "
        "показывает `opora keys list`.",
    ),
    "last_admin": (
        "Make another user an administrator first.",
        "Сначала назначьте администратором другого пользователя.",
    ),
    "login_limited": (
        "Wait as long as `Retry-After` says. `OPORA_LOGIN_LIMIT_PER_MIN` and `OPORA_LOGIN_LIMIT_PER_ADDRESS` are the "
        "limits; only failures count.",
        "Подождите столько, сколько указано в `Retry-After`. Пределы: `OPORA_LOGIN_LIMIT_PER_MIN` и "
        "`OPORA_LOGIN_LIMIT_PER_ADDRESS`; считаются только неудачи.",
    ),
    "malformed_body": (
        "Send JSON in UTF-8 that a strict reader takes: no comments, no NaN, no lone surrogates, no byte 0.",
        "Передайте строгий JSON в UTF-8: без комментариев, NaN, одиночных суррогатов и нулевого байта.",
    ),
    "mfa_required": (
        "Send `mfa_token` with a code to `POST /api/v1/auth/login/mfa` within `expires_in` seconds.",
        "Передайте `mfa_token` и код в `POST /api/v1/auth/login/mfa` в течение `expires_in` секунд.",
    ),
    "mfa_token_invalid": (
        "Begin with the password again: `POST /api/v1/auth/login`. A token finishes one log-in and waits five minutes.",
        "Начните с пароля: `POST /api/v1/auth/login`. Токен завершает один вход и ждёт пять минут.",
    ),
    "no_second_factor": (
        "Set one up with `POST /api/v1/auth/mfa/totp` first.",
        "Сначала настройте его: `POST /api/v1/auth/mfa/totp`.",
    ),
    "no_such_profile": (
        "Check the id with `GET /api/v1/profiles`. Deleted, expired and other owners' profiles look alike.",
        "Проверьте номер через `GET /api/v1/profiles`. Удалённые, истёкшие и чужие профили неотличимы.",
    ),
    "no_such_route": (
        "Check path and prefix (`/api/v1`); `/docs` lists every call of this installation.",
        "Проверьте путь и приставку (`/api/v1`); все вызовы этой установки — на `/docs`.",
    ),
    "one_time_token_invalid": (
        "Ask for another letter: `POST /api/v1/auth/password/forgot`, or `POST /api/v1/auth/verify-email/resend`. A "
        "token works once and for its purpose alone.",
        "Запросите новое письмо: `POST /api/v1/auth/password/forgot` или `POST /api/v1/auth/verify-email/resend`. "
        "Токен действует один раз и только по назначению.",
    ),
    "profile_gone": (
        "Leave the deleted profile out and ask for the file again.",
        "Уберите удалённый профиль и запросите файл заново.",
    ),
    "rate_limited": (
        "Wait as long as `Retry-After` says; `limit`, `remaining` and `reset_at` tell how the limit stands. Every "
        "answer says in `RateLimit` what is left. A key gets a limit of its own by `rate_limit_per_min`.",
        "Подождите столько, сколько указано в `Retry-After`; состояние лимита — в `limit`, `remaining`, `reset_at`. "
        "Остаток виден в `RateLimit` каждого ответа. Свой лимит ключа задаёт `rate_limit_per_min`.",
    ),
    "refresh_token_invalid": ("Sign in again.", "Войдите заново."),
    "refresh_token_reused": (
        "Sign in again. Somebody else may have had the token: the whole session was ended.",
        "Войдите заново. Токен мог быть похищен, поэтому вся сессия завершена.",
    ),
    "schema_ahead": (
        "For the operator: start the release that migrated the database, or take the migrations back with "
        "`opora db downgrade`.",
        "Оператору: запустите тот выпуск, который обновил базу, или откатите её: `opora db downgrade`.",
    ),
    "schema_behind": (
        "For the operator: run `opora db upgrade`.",
        "Оператору: выполните `opora db upgrade`.",
    ),
    "second_factor_present": (
        "Remove the present one with `DELETE /api/v1/auth/mfa/totp`, then set another up.",
        "Удалите действующий: `DELETE /api/v1/auth/mfa/totp`, затем настройте новый.",
    ),
    "step_up_required": (
        "Sign in again, with the second factor where there is one, and repeat the call with the new token within "
        "`max_age` seconds. Refreshing does not help: it is no sign-in. API keys are not asked.",
        "Войдите заново, со вторым фактором, если он есть, и повторите вызов с новым токеном в течение `max_age` "
        "секунд. Обновление токена не помогает: это не вход. Ключей API это не касается.",
    ),
    "storage_unavailable": (
        "Repeat the call after `Retry-After`. For the operator: `opora doctor` tells whether the folder can be written "
        "and how much room is left.",
        "Повторите вызов через `Retry-After`. Оператору: `opora doctor` покажет, доступна ли папка и сколько места.",
    ),
    "token_expired": (
        "Renew it with `POST /api/v1/auth/refresh`, or sign in again.",
        "Обновите его через `POST /api/v1/auth/refresh` или войдите заново.",
    ),
    "token_revoked": (
        "Sign in again; if that is refused, the account is blocked.",
        "Войдите заново; если вход отклонён, учётная запись заблокирована.",
    ),
    "too_many_failures": (
        "Wait as long as `Retry-After` says, then send a credential that works. Callers behind the same address whose "
        "key is good are not held up.",
        "Подождите столько, сколько указано в `Retry-After`, и передайте действующий ключ. Тех, чей ключ уже "
        "принимался с этого адреса, задержка не касается.",
    ),
    "unauthenticated": (
        "Send `X-API-Key: <key>` or `Authorization: Bearer <key or access token>`.",
        "Передайте `X-API-Key: <ключ>` или `Authorization: Bearer <ключ или токен>`.",
    ),
    "quota_exhausted": (
        "Wait until `reset_at`, which `Retry-After` counts down to, or choose a larger plan under `upgrade_url`. "
        "`GET /api/v1/subscription/usage` shows every limit.",
        "Дождитесь `reset_at` (столько же в `Retry-After`) или перейдите на тариф больше: `upgrade_url`. Все лимиты "
        "показывает `GET /api/v1/subscription/usage`.",
    ),
    "upgrade_required": (
        "Choose a plan that includes `feature`: `upgrade_url` leads to them, `POST /api/v1/subscription` subscribes.",
        "Выберите тариф, в который входит `feature`: они по адресу `upgrade_url`, подписка — "
        "`POST /api/v1/subscription`.",
    ),
    "version_retired": (
        "Move to the version that `successor` names; `GET /api/versions` lists all.",
        "Перейдите на версию из `successor`; список — `GET /api/versions`.",
    ),
}
"""What to do about a code where more can be said than its status says."""


def advice(code: str, status: int) -> tuple[str, str]:
    """Return what to do, in English and in Russian."""
    return BY_CODE.get(code) or BY_STATUS[status]
