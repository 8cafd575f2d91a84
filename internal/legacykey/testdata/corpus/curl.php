<?php
$hapikey = '00000000-fa4e-4000-8000-000000000006';
$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, 'https://api.hubapi.com/crm/v3/objects/deals?hapikey=' . $hapikey);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
$answer = json_decode(curl_exec($ch), true);
