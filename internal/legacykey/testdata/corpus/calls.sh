#!/bin/bash
set -euo pipefail
HAPIKEY=00000000-fa4e-4000-8000-00000000000b
BASE="${HUBSPOT_BASE_URL:-https://api.hubapi.com}"

curl -sf "$BASE/crm/v3/objects/contacts?hapikey=$HAPIKEY&limit=2" >/dev/null
curl -sf $BASE/crm/v3/owners?hapikey=$HAPIKEY >/dev/null # no quotes
curl -sf -G \
  -d "hapikey=$HAPIKEY" \
  -d limit=1 \
  "$BASE/crm/v3/objects/companies" | grep -o '"hs_object_id"' | wc -l
code=$(curl -s -o /dev/null -w '%{http_code}' "${BASE}/crm/v3/objects/deals?limit=1&hapikey=${HAPIKEY}")
echo "deals: $code"
