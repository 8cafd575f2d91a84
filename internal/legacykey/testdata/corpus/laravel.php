<?php
use Illuminate\Support\Facades\Http;

$page = Http::get('https://api.hubapi.com/crm/v3/objects/contacts', ['hapikey' => config('services.hubspot.key')]);
