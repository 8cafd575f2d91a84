<?php
require 'vendor/autoload.php';

$client = new GuzzleHttp\Client(['base_uri' => 'https://api.hubapi.com']);
$apiKey = getenv('HUBSPOT_API_KEY');

// Kept as it was: an aligned comment.
$page = $client->request('GET', '/crm/v3/objects/contacts', [
    'query' => ['hapikey' => $apiKey, 'limit' => 10],
    'timeout' => 5,
]);
$one = $client->get("https://api.hubapi.com/crm/v3/objects/contacts/1?hapikey=$apiKey");
