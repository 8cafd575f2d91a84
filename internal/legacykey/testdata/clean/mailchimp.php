<?php
$client->setConfig(['apiKey' => getenv('MAILCHIMP_API_KEY'), 'server' => 'us1']);
$list = '602533dc-0a68-413d-879f-2d9ec4445aae';
